// Which forward passes a profile measures: close where kernels change their form, wide where times are linear.

import CServeEngine

/// The shapes of a profile, within what the model and its cache can hold.
struct ProfileGrid {
    /// Tokens of one step at most.
    var maxTokens: Int
    /// The longest request.
    var maxLength: Int
    /// Tokens that the cache holds.
    var capacity: Int
    /// Requests that run at once at most.
    var maxRequests: Int
    /// Fewer points: half the time, about twice the error between them.
    var isQuick: Bool

    /// Batches of decodes beside which the dense operators are timed.
    var batches: [Int] {
        let all: [Int] =
            isQuick
            ? [1, 2, 4, 6, 8, 12, 16, 24, 32, 48, 64]
            : [1, 2, 3, 4, 5, 6, 7, 8, 10, 12, 14, 16, 20, 24, 28, 32, 40, 48, 56, 64, 80, 96, 112, 128]
        return all.filter { $0 <= maxRequests && $0 * 32 <= capacity }
    }

    /// Prompt pieces for the dense operators, beyond the batches.
    var pieces: [Int] {
        let all: [Int] =
            isQuick
            ? [32, 128, 256, 512] : [16, 32, 64, 96, 128, 160, 192, 256, 384, 512, 768, 1024, 2048, 4096, 8192]
        return all.filter { $0 <= maxTokens && $0 <= maxLength }
    }

    /// Requests and contexts of decoding attention.
    var decodes: [(requests: Int, context: Int)] {
        let requests: [Int] = isQuick ? [1, 4, 16, 64] : [1, 2, 4, 8, 16, 32, 64, 128]
        return requests.filter { $0 <= maxRequests }.flatMap { requests in
            contexts.filter { $0 * requests <= capacity }.map { (requests, $0) }
        }
    }

    private var contexts: [Int] {
        let all: [Int] = isQuick ? [16, 256, 1024, 4096] : [16, 64, 128, 256, 512, 1024, 2048, 4096, 8192, 16384]
        return all.filter { $0 <= maxLength - 16 } + (maxLength <= 16384 ? [maxLength - 16] : [])
    }

    /// Prompt pieces behind contexts.
    var prompts: [ProbeEntry] {
        let tokens: [Int] =
            isQuick
            ? [1, 16, 64, 256, 512, 1024]
            : [1, 8, 16, 32, 64, 96, 128, 192, 256, 384, 512, 768, 1024, 1536, 2048, 3072, 4096]
        let behind: [Int] = isQuick ? [0, 512, 2048] : [0, 64, 256, 512, 1024, 1536, 2048, 4096, 8192]
        let lengths: [Int] = Array(Set(tokens.filter { $0 <= maxTokens } + [min(maxTokens, maxLength)])).sorted()
        return lengths.flatMap { length in
            behind.filter { $0 + length <= min(maxLength, capacity) }.map { ProbeEntry(tokens: length, context: $0) }
        }
    }

    /// Rows that the head computes.
    var rows: [Int] {
        [1, 2, 3, 4, 5, 6, 8, 10, 12, 16, 20, 24, 32, 48, 64, 96, 128].filter { $0 <= maxRequests }
    }
}
