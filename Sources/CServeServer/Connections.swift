// Who is connected: how a handler learns that its client has gone, which Hummingbird does not tell.

import NIOCore
import Synchronization

/// One client's connection, as its requests see it.
final class Connection: Sendable {
    private struct State: Sendable {
        var isClosed: Bool = false
        var next: Int = 0
        var watchers: [Int: @Sendable () -> Void] = [:]
    }

    private let state: Mutex<State> = Mutex(State())

    /// Whether the client has gone, or at least sends nothing more.
    var isClosed: Bool { state.withLock { $0.isClosed } }

    /// Calls the closure once when the client goes, or at once if it has gone; returns the watcher's name.
    func onClose(_ watcher: @escaping @Sendable () -> Void) -> Int {
        let name: Int? = state.withLock { state in
            guard !state.isClosed else { return nil }
            state.next += 1
            state.watchers[state.next] = watcher
            return state.next
        }
        if name == nil { watcher() }
        return name ?? 0
    }

    /// Forgets a watcher.
    func forget(_ name: Int) {
        state.withLock { _ = $0.watchers.removeValue(forKey: name) }
    }

    /// Tells every watcher that the client has gone.
    func close() {
        let watchers: [@Sendable () -> Void] = state.withLock { state in
            state.isClosed = true
            defer { state.watchers = [:] }
            return Array(state.watchers.values)
        }
        for watcher in watchers { watcher() }
    }
}

/// All open connections and the requests that are being answered on them.
final class ConnectionTable: Sendable {
    private struct State: Sendable {
        var connections: [ObjectIdentifier: Connection] = [:]
        var requests: Int = 0
    }

    private let state: Mutex<State> = Mutex(State())

    /// Open connections.
    var count: Int { state.withLock { $0.connections.count } }
    /// Requests whose answer is not complete.
    var requests: Int { state.withLock { $0.requests } }

    /// The connection behind a channel; one that was never seen counts as gone.
    func connection(of channel: any Channel) -> Connection {
        if let known = state.withLock({ $0.connections[ObjectIdentifier(channel)] }) { return known }
        let gone: Connection = Connection()
        gone.close()
        return gone
    }

    func open(_ channel: any Channel) -> Connection {
        let connection: Connection = Connection()
        state.withLock { $0.connections[ObjectIdentifier(channel)] = connection }
        return connection
    }

    func close(_ channel: any Channel, unanswered: Int) {
        let connection: Connection? = state.withLock { state in
            state.requests -= unanswered
            return state.connections.removeValue(forKey: ObjectIdentifier(channel))
        }
        connection?.close()
    }

    func begin() { state.withLock { $0.requests += 1 } }
    func end() { state.withLock { $0.requests -= 1 } }
}
