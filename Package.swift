// swift-tools-version: 6.2
// CServe: one package, one binary. Which module may import which is drawn in ARCHITECTURE.md and held by TidyTests.
import PackageDescription

/// C targets are optimised in debug builds too: an unoptimised kernel makes the tests ten times slower.
let optimised: [CSetting] = [.unsafeFlags(["-O3", "-fno-math-errno", "-fno-trapping-math"])]

/// The reference backend and the tokenizer are plain Swift loops: unoptimised they would take most of the tests' time.
let optimisedSwift: [SwiftSetting] = [.unsafeFlags(["-O"], .when(configuration: .debug))]

let hummingbird: Target.Dependency = .product(name: "Hummingbird", package: "hummingbird")
let hummingbirdTLS: Target.Dependency = .product(
    name: "HummingbirdTLS", package: "hummingbird", condition: .when(traits: ["TLS"]))

let package = Package(
    name: "cserve",
    platforms: [.macOS(.v15)],
    products: [
        .executable(name: "cserve", targets: ["cserve"]),
        .library(
            name: "CServe",
            targets: [
                "CServeCore", "CServeScheduling", "CServeText", "CServeEngine", "CServeCost", "CServeWorkload",
                "CServeSimulator",
            ]),
    ],
    traits: [
        .trait(name: "TLS", description: "Serve HTTPS from certificate files (compiles BoringSSL).")
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser.git", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-log.git", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-nio.git", from: "2.101.2"),
        .package(url: "https://github.com/apple/swift-nio-ssl.git", from: "2.36.0"),
        .package(url: "https://github.com/hummingbird-project/hummingbird.git", from: "2.28.1", traits: []),
        .package(url: "https://github.com/jpsim/Yams.git", from: "6.2.2"),
        .package(url: "https://github.com/groue/GRDB.swift.git", from: "7.10.0"),
    ],
    targets: [
        // Floor 0: C.
        .target(name: "CKernels", cSettings: optimised),
        .target(name: "CAssets"),
        // Floor 1: the words.
        .target(name: "CServeCore"),
        // Floor 2: pure, one job each.
        .target(name: "CServeScheduling", dependencies: ["CServeCore"], swiftSettings: optimisedSwift),
        .target(name: "CServeText", dependencies: ["CServeCore"], swiftSettings: optimisedSwift),
        .target(name: "CServeCost", dependencies: ["CServeCore"], swiftSettings: optimisedSwift),
        .target(name: "CServeWorkload", dependencies: ["CServeCore"], swiftSettings: optimisedSwift),
        // Floor 3: real time, real memory.
        .target(
            name: "CServeEngine", dependencies: ["CServeCore", "CServeScheduling", "CKernels"],
            swiftSettings: optimisedSwift),
        .target(
            name: "CServeSimulator", dependencies: ["CServeCore", "CServeScheduling", "CServeCost", "CServeWorkload"],
            swiftSettings: optimisedSwift),
        // Floor 4: the edges.
        .target(
            name: "CServePlanner", dependencies: ["CServeCore", "CServeCost", "CServeWorkload", "CServeSimulator"],
            swiftSettings: optimisedSwift),
        .target(
            name: "CServeServer",
            dependencies: [
                "CServeCore", "CServeText", hummingbird, hummingbirdTLS,
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
            ]),
        .target(
            name: "CServeBench",
            dependencies: [
                "CServeCore", "CServeWorkload",
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
            ], swiftSettings: optimisedSwift),
        .target(
            name: "CServeRecords", dependencies: ["CServeCore", .product(name: "GRDB", package: "GRDB.swift")]),
        .target(
            name: "CServeDeploy", dependencies: ["CServeCore", .product(name: "Yams", package: "Yams")]),
        // Floor 5: the composition root.
        .executableTarget(
            name: "cserve",
            dependencies: [
                "CServeCore", "CServeText", "CServeEngine", "CServeServer", "CAssets", "CServeCost", "CServeWorkload",
                "CServeScheduling", "CServeSimulator", "CServePlanner", "CServeBench", "CServeRecords", "CServeDeploy",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "NIOSSL", package: "swift-nio-ssl", condition: .when(traits: ["TLS"])),
                .product(name: "Yams", package: "Yams"),
            ]),
        // Tests mirror Sources.
        .testTarget(name: "CServeCoreTests", dependencies: ["CServeCore"]),
        .testTarget(name: "CServeSchedulingTests", dependencies: ["CServeScheduling"]),
        .testTarget(name: "CServeTextTests", dependencies: ["CServeText"]),
        .testTarget(name: "CServeCostTests", dependencies: ["CServeCost"]),
        .testTarget(name: "CServeWorkloadTests", dependencies: ["CServeWorkload"]),
        .testTarget(name: "CServeSimulatorTests", dependencies: ["CServeSimulator"]),
        .testTarget(name: "CServePlannerTests", dependencies: ["CServePlanner"]),
        .testTarget(name: "CServeEngineTests", dependencies: ["CServeEngine", "CServeCost", "CServeSimulator"]),
        .testTarget(
            name: "CServeServerTests",
            dependencies: [
                "CServeServer",
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
            ]),
        .testTarget(
            name: "CServeBenchTests",
            dependencies: [
                "CServeBench",
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
            ]),
        .testTarget(name: "CServeRecordsTests", dependencies: ["CServeRecords"]),
        .testTarget(
            name: "CServeDeployTests", dependencies: ["CServeDeploy", .product(name: "Yams", package: "Yams")]),
        .testTarget(name: "CommandTests", dependencies: ["cserve"]),
        .testTarget(name: "TidyTests"),
        // What Tests/Clients/tokenizers.sh compares with PyPI tokenizers.
        .executableTarget(name: "TextProbe", dependencies: ["CServeCore", "CServeText"], path: "Tests/TextProbe"),
    ],
    swiftLanguageModes: [.v6]
)
