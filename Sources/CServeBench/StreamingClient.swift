// A small HTTP/1.1 client on one event loop: it sends when told, stamps what arrives, and keeps connections open.
import CServeCore
import NIOCore
import NIOHTTP1
import NIOPosix

/// Talks to one server. Connections are kept; one is opened ahead, so that requests rarely wait for one.
///
/// Unchecked: all state is touched on ``loop`` only.
public final class StreamingClient: @unchecked Sendable {
    /// Where the server answers.
    public let server: ServerAddress
    let loop: any EventLoop

    private let group: MultiThreadedEventLoopGroup
    private let headers: HTTPHeaders
    private let connectTimeout: TimeAmount
    private var idle: [Connection] = []
    private var connections: [ObjectIdentifier: Connection] = [:]
    private var exchanges: [ObjectIdentifier: Exchange] = [:]
    private var opening: Int = 0
    private var opensAhead: Bool = false
    private var isClosed: Bool = false

    /// Prepares a client; nothing is opened yet.
    ///
    /// - Parameters:
    ///   - headers: added to every request.
    ///   - connectTimeout: how long a connection may take to open.
    public init(
        _ server: ServerAddress, headers: [(name: String, value: String)] = [],
        connectTimeout: Nanoseconds = 10 * .second
    ) {
        self.server = server
        self.connectTimeout = .nanoseconds(connectTimeout)
        group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        loop = group.next()
        var all: HTTPHeaders = ["Host": server.authority, "User-Agent": "cserve-bench"]
        for header in headers { all.replaceOrAdd(name: header.name, value: header.value) }
        self.headers = all
    }

    /// Closes all connections and the loop.
    public func shutDown() async {
        try? await loop.submit {
            self.isClosed = true
            for connection in self.connections.values { connection.close() }
        }.get()
        try? await group.shutdownGracefully()
    }

    /// Opens connections ahead, at most so many, until the server refuses.
    func openAhead(_ count: Int) async {
        for _ in 0..<count {
            let opened: Connection? = try? await loop.flatSubmit { self.open() }.get()
            guard let opened else { break }
            loop.execute { self.idle.append(opened) }
        }
        loop.execute { self.opensAhead = true }
    }

    /// Sends a request and reads the response whole.
    /// - Throws: ``PlainFailure``.
    func fetch(
        _ method: HTTPMethod, _ path: String, _ body: JSONValue? = nil, timeout: Nanoseconds = 60 * .second
    ) async throws(PlainFailure) -> PlainAnswer {
        let request = WireRequest(
            method: method, path: server.prefix + path, body: body.map { ByteBuffer(bytes: $0.serialized()) })
        let result: Result<PlainAnswer, PlainFailure> = await withCheckedContinuation { continuation in
            loop.execute {
                self.send(PlainExchange(request) { continuation.resume(returning: $0) }, timeout: timeout)
            }
        }
        return try result.get()
    }

    /// Sends a request now. On the loop only.
    func send(_ exchange: Exchange, timeout: Nanoseconds) {
        let key = ObjectIdentifier(exchange)
        exchanges[key] = exchange
        exchange.atEnd = { self.exchanges[key] = nil }
        exchange.timer = loop.scheduleTask(in: .nanoseconds(timeout)) { self.cancel(exchange, .timeout) }
        dispatch(exchange)
    }

    /// Ends all requests that wait for their answers.
    func cancelAll(_ failure: BenchFailure) {
        for exchange in Array(exchanges.values) { cancel(exchange, failure) }
    }

    private func cancel(_ exchange: Exchange, _ failure: BenchFailure) {
        guard !exchange.isEnded else { return }
        exchange.connection?.abandon()
        exchange.fail(failure, at: .now())
        exchange.end()
    }

    private func dispatch(_ exchange: Exchange) {
        while let connection = idle.popLast() {
            guard connection.isOpen else { continue }
            connection.start(exchange)
            return refill()
        }
        let began: NIODeadline = .now()
        open().whenComplete { result in
            switch result {
            case .success(let connection): self.start(exchange, on: connection, began)
            case .failure(let error):
                exchange.fail(ConnectionFailure.connecting(error), at: .now())
                exchange.end()
            }
        }
    }

    private func start(_ exchange: Exchange, on connection: Connection, _ began: NIODeadline) {
        guard !exchange.isEnded else { return idle.append(connection) }
        exchange.connected(after: (NIODeadline.now() - began).nanoseconds)
        connection.start(exchange)
    }

    /// Keeps one connection in reserve.
    private func refill() {
        guard opensAhead, idle.isEmpty, opening == 0, !isClosed else { return }
        opening += 1
        open().whenComplete { result in
            self.opening -= 1
            if case .success(let connection) = result { self.idle.append(connection) }
        }
    }

    private func open() -> EventLoopFuture<Connection> {
        let callbacks = Connection.Callbacks(
            isIdle: { self.idle.append($0) }, isClosed: { self.remove($0) }, repeats: { self.dispatch($0) })
        let stamp = ArrivalStamp()
        let connection = Connection(stamp, headers: headers, callbacks)
        return ClientBootstrap(group: loop)
            .connectTimeout(connectTimeout)
            .channelOption(.tcpOption(.tcp_nodelay), value: 1)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(stamp)
                    try channel.pipeline.syncOperations.addHTTPClientHandlers()
                    try channel.pipeline.syncOperations.addHandler(connection)
                }
            }
            .connect(host: server.host, port: server.port)
            .map { _ in
                self.connections[ObjectIdentifier(connection)] = connection
                return connection
            }
    }

    private func remove(_ connection: Connection) {
        connections[ObjectIdentifier(connection)] = nil
        idle.removeAll { $0 === connection }
    }
}
