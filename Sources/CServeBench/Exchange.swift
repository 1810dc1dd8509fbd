// One request and its response on a connection. Everything here happens on the client's event loop.
import CServeCore
import NIOCore
import NIOHTTP1

/// What is written.
struct WireRequest: Sendable {
    var method: HTTPMethod
    var path: String
    var body: ByteBuffer?
}

/// A request under way; subclasses read the response. Unchecked: touched on the client's event loop only.
class Exchange: @unchecked Sendable {
    let request: WireRequest
    weak var connection: Connection?
    /// Cancels the request when its time is over.
    var timer: Scheduled<Void>?
    /// Whether it was sent on a kept connection that the server closed meanwhile, and then again.
    var isRepeated: Bool = false
    /// Told when the result has been delivered.
    var atEnd: (() -> Void)?
    private(set) var isEnded: Bool = false

    init(_ request: WireRequest) {
        self.request = request
    }

    /// Whether a byte of the response came.
    var hasBegun: Bool { false }
    /// Whether the answer is complete, though HTTP's end has not come yet.
    var isComplete: Bool { false }
    /// Whether the rest of the response is worth nothing.
    var hasFailed: Bool { false }

    func connected(after span: Nanoseconds) {}
    func sent(at time: NIODeadline) {}
    func takeHead(_ head: HTTPResponseHead, at time: NIODeadline) {}
    func take(_ bytes: ByteBuffer, at time: NIODeadline) {}
    func takeEnd(at time: NIODeadline) {}
    func fail(_ failure: BenchFailure, at time: NIODeadline) {}
    func deliver() {}

    /// Hands the result to whoever waits for it, once.
    func end() {
        guard !isEnded else { return }
        isEnded = true
        timer?.cancel()
        timer = nil
        atEnd?()
        atEnd = nil
        deliver()
    }
}

/// A request whose streamed answer is measured.
final class StreamingExchange: Exchange, @unchecked Sendable {
    private var reader: AnswerReader
    private let origin: NIODeadline
    private let onEnd: (RequestMeasurement, ReceivedAnswer) -> Void
    private let onChunk: () -> Void

    init(
        _ request: WireRequest, reader: AnswerReader, origin: NIODeadline, onChunk: @escaping () -> Void,
        onEnd: @escaping (RequestMeasurement, ReceivedAnswer) -> Void
    ) {
        self.reader = reader
        self.origin = origin
        self.onChunk = onChunk
        self.onEnd = onEnd
        super.init(request)
    }

    override var hasBegun: Bool { reader.hasBegun }
    override var isComplete: Bool { reader.isDone }
    override var hasFailed: Bool { reader.measurement.failure != nil }

    private func time(_ deadline: NIODeadline) -> Nanoseconds { (deadline - origin).nanoseconds }

    override func connected(after span: Nanoseconds) { reader.connected(after: span) }
    override func sent(at time: NIODeadline) { reader.sent(at: self.time(time)) }
    override func takeEnd(at time: NIODeadline) { reader.takeEnd(at: self.time(time)) }
    override func fail(_ failure: BenchFailure, at time: NIODeadline) { reader.fail(failure, at: self.time(time)) }
    override func deliver() { onEnd(reader.measurement, reader.answer) }

    override func takeHead(_ head: HTTPResponseHead, at time: NIODeadline) {
        reader.takeHead(
            status: Int(head.status.code), contentType: head.headers.first(name: "content-type"),
            retryAfter: head.headers.first(name: "retry-after"), at: self.time(time))
    }

    override func take(_ bytes: ByteBuffer, at time: NIODeadline) {
        let chunks: Int = reader.measurement.chunks.count
        reader.take([UInt8](bytes.readableBytesView), at: self.time(time))
        if reader.measurement.chunks.count > chunks { onChunk() }
    }
}

/// A request whose response is only read.
final class PlainExchange: Exchange, @unchecked Sendable {
    /// Longer answers to questions about models and tokens are cut.
    private static let longest: Int = 1 << 26

    private var status: Int = 0
    private var bytes: [UInt8] = []
    private var failure: BenchFailure?
    private let onEnd: (Result<PlainAnswer, PlainFailure>) -> Void

    init(_ request: WireRequest, onEnd: @escaping (Result<PlainAnswer, PlainFailure>) -> Void) {
        self.onEnd = onEnd
        super.init(request)
    }

    override var hasBegun: Bool { status > 0 }
    override func takeHead(_ head: HTTPResponseHead, at time: NIODeadline) { status = Int(head.status.code) }
    override func take(_ bytes: ByteBuffer, at time: NIODeadline) {
        self.bytes.append(contentsOf: bytes.readableBytesView.prefix(max(0, Self.longest - self.bytes.count)))
    }
    override func fail(_ failure: BenchFailure, at time: NIODeadline) { self.failure = failure }
    override func deliver() {
        onEnd(failure.map { .failure(PlainFailure(failure: $0)) } ?? .success(PlainAnswer(status: status, body: bytes)))
    }
}

/// An answer that is read whole.
struct PlainAnswer: Hashable, Sendable {
    var status: Int
    var body: [UInt8]

    /// The body as JSON; nil if it is none.
    var json: JSONValue? { try? JSONValue(parsing: body) }
}

/// Why there is none.
struct PlainFailure: Error, Hashable, Sendable {
    var failure: BenchFailure
}
