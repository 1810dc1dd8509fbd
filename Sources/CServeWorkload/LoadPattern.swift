// How a workload's requests come, as far as whoever sends them has to know.
import CServeCore

/// How requests come.
public enum LoadPattern: Hashable, Codable, Sendable {
    /// Each at its own time, whatever the cluster does.
    case openLoop
    /// So many clients: each sends its next request when the one before has ended, and it has thought for a while.
    case closedLoop(clients: Int, thinkTime: Nanoseconds = 0)
    /// Clients whose number swings with the answers. A client thinks for as long as its next request says
    /// (``WorkloadRequest/thinkTime``).
    case wave(ConcurrencyWave)
    /// So many clients, each of which thinks for as long as its next request says.
    case clients(Int)

    /// The pattern of a workload.
    public init(_ arrivals: ArrivalProcess) {
        switch arrivals {
        case .closedLoop(let loop): self = loop.wave.map { .wave($0) } ?? .clients(loop.clients)
        default: self = .openLoop
        }
    }

    /// How many clients send when that many requests have been answered; nil: whoever is due.
    @usableFromInline
    func clients(finished: Int) -> Int? {
        switch self {
        case .openLoop: nil
        case .closedLoop(let clients, _), .clients(let clients): clients
        case .wave(let wave): wave.clients(finished: finished)
        }
    }

    /// What a client waits before it sends this request.
    @usableFromInline
    func thinkTime(before request: WorkloadRequest) -> Nanoseconds {
        switch self {
        case .openLoop: 0
        case .closedLoop(_, let thinkTime): thinkTime
        case .wave, .clients: request.thinkTime
        }
    }
}
