// swift-tools-version: 6.2
// Benchmarks in a package of their own, so that what they need never reaches the product. Run by `make bench`.
import PackageDescription

let cserve = { (name: String) -> Target.Dependency in .product(name: name, package: "cserve") }

let package = Package(
    name: "Benchmarks",
    platforms: [.macOS(.v15)],
    dependencies: [.package(name: "cserve", path: "..")],
    targets: [
        .executableTarget(name: "EngineBenchmark", dependencies: [cserve("CServe")]),
        .executableTarget(name: "InstructionCounts", dependencies: [cserve("CServe")]),
        .executableTarget(name: "SamplerBenchmark", dependencies: [cserve("CServe")]),
        .executableTarget(name: "SchedulerBenchmark", dependencies: [cserve("CServe")]),
        .executableTarget(name: "SimulatorBenchmark", dependencies: [cserve("CServe")]),
        .executableTarget(name: "TokenizerBenchmark", dependencies: [cserve("CServe")]),
    ],
    swiftLanguageModes: [.v6]
)
