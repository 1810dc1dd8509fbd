// The engine's clock: integer nanoseconds that never go back.

import CServeCore

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// The clock of every time stamp that an engine gives, so that a server can compare them with its own.
public enum MonotonicClock {
    /// Nanoseconds since some fixed moment.
    public static func now() -> Nanoseconds {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Nanoseconds(time.tv_sec) * .second + Nanoseconds(time.tv_nsec)
    }
}
