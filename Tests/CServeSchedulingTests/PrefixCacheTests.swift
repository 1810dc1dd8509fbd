// Reuse of cached prefixes: what is found, what is counted, what is evicted first, and what is never shared.
import CServeCore
import Testing

@testable import CServeScheduling

struct PrefixCacheTests {
    private static func startedWith(_ world: World, _ id: UInt64) -> Int? {
        for case .started(RequestID(id), let cached, _) in world.log { return cached }
        return nil
    }

    @Test("A second request finds the first one's full blocks, but never its whole prompt")
    func hits() {
        var world = World(roomy())
        world.add(request(1, prompt: 12))
        world.drain()
        world.add(request(2, prompt: 12))
        world.add(request(3, prompt: 13))
        world.drain()
        #expect(Self.startedWith(world, 1) == 0)
        #expect(Self.startedWith(world, 2) == 8)
        #expect(Self.startedWith(world, 3) == 12)
        #expect(world.scheduler.statistics.prefixQueries == 37)
        #expect(world.scheduler.statistics.prefixHits == 20)
        world.verifyAnswers()
        #expect(world.problem == nil)
    }

    @Test("Another salt or adapter finds nothing; no salt is a salt of its own")
    func salts() {
        var world = World(roomy())
        for (id, salt, adapter, expected) in [
            (1, nil, nil, 0), (2, "a", nil, 0), (3, "a", nil, 8), (4, "", nil, 0), (5, nil, "a", 0), (6, nil, nil, 8),
        ] as [(UInt64, String?, String?, Int)] {
            var made = request(id, prompt: 10)
            made.cacheSalt = salt
            made.adapter = adapter
            world.add(made)
            world.drain()
            #expect(Self.startedWith(world, id) == expected, "request \(id)")
        }
    }

    @Test("Equal hashes are not enough: the tokens are compared")
    func collision() {
        var cache = PrefixCache(blockCount: 4, blockSize: 2)
        let hash = BlockHash(salt: nil, adapter: nil)
        cache.insert(1, hash: hash, tokens: TokenSpan(prompt: [7, 8], answer: [], start: 0))
        #expect(cache.block(for: hash, tokens: TokenSpan(prompt: [7], answer: [8], start: 0)) == 1)
        #expect(cache.block(for: hash, tokens: TokenSpan(prompt: [7, 9], answer: [], start: 0)) == nil)
        cache.evict(1)
        #expect(cache.block(for: hash, tokens: TokenSpan(prompt: [7, 8], answer: [], start: 0)) == nil)
        #expect(cache.isConsistent)
    }

    @Test("Hashes depend on every token, its place and what came before")
    func hashes() {
        let manager = KVCacheManager(roomy(blockSize: 2))
        let seed = BlockHash(salt: nil, adapter: nil)
        var seen: Set<BlockHash> = []
        for a in 0..<12 as Range<TokenID> {
            for b in 0..<12 as Range<TokenID> {
                for hash in manager.hashes(prompt: [a, b, 1], answer: [2], seed: seed) { seen.insert(hash) }
            }
        }
        #expect(seen.count == 288)
        #expect(manager.hashes(prompt: [1, 2, 3, 4, 5], answer: [], seed: seed).count == 2)
        #expect(
            manager.hashes(prompt: [1, 2, 3, 4], answer: [], seed: seed)
                == manager.hashes(prompt: [1], answer: [2, 3, 4], seed: seed))
    }

    @Test("Blocks are evicted least recently used first, a prefix's tail before its head, empty ones before all")
    func eviction() {
        var world = World(roomy(blocks: 8, blockSize: 4))
        world.add(request(1, prompt: 9, answer: 1, family: 1))
        world.drain()
        world.add(request(2, prompt: 9, answer: 1, family: 2))
        world.drain()
        // Six blocks are used once, four of them hold full prefixes; six more are needed now, so two of them go:
        // the older prefix, its tail first.
        world.add(request(3, prompt: 19, answer: 1, family: 3))
        world.drain()
        world.add(request(4, prompt: 9, answer: 1, family: 1))
        world.drain()
        #expect(Self.startedWith(world, 4) == 4)
    }

    @Test("A preempted branch finds its own blocks again; they are not counted as hits")
    func preempted() {
        var sums: (reused: Int, hits: Int) = (0, 0)
        for seed in UInt64(1)...40 {
            var random = SplitMix(seed)
            var configuration = SchedulerConfiguration(
                blockCount: 12, blockSize: 2, maxNumSeqs: 4, maxNumBatchedTokens: 16, maxModelLength: 40)
            configuration.policy = .throughput
            var world = World(configuration)
            world.scheduler.reserve.stepped(300)
            for id in 1...4 {
                world.add(request(UInt64(id), prompt: random.int(3...5), answer: 12, family: id))
            }
            world.drain()
            world.verifyAnswers()
            #expect(world.problem == nil, "seed \(seed)")
            sums.reused += world.scheduler.statistics.reusedAfterPreemption
            sums.hits += world.scheduler.statistics.prefixHits
        }
        #expect(sums.reused > 0)
        #expect(sums.hits == 0)
    }

    @Test("A branch that takes over the block it shared makes it unfindable before writing")
    func takenOver() {
        // Both blocks belong to the first branch; the second one waits until it ends, and inherits its last block,
        // which by then is known to hold the first one's answer.
        var world = World(roomy(blocks: 2, blockSize: 4))
        var two = request(1, prompt: 6, answer: 3)
        two.sampling.n = 2
        world.add(two)
        world.drain()
        #expect(world.batches.allSatisfy { $0.copies.isEmpty })
        #expect(world.batches.map { $0.entries.map(\.branch) } == [[0], [0], [0], [1], [1], [1]])
        world.verifyAnswers()
        world.verifyEmpty()
        #expect(world.problem == nil)
    }

    @Test("The pool gives every block once, takes it back once, and takes a found one out of the middle")
    func pool() {
        var pool = BlockPool(count: 3)
        #expect([pool.take(), pool.take(), pool.take(), pool.take()] == [0, 1, 2, nil])
        for block in [2, 1, 0] as [BlockID] { pool.release(block, keep: true) }
        #expect(pool.freeList == [2, 1, 0])
        pool.retain(1)
        pool.retain(1)
        #expect(pool.freeList == [2, 0])
        pool.release(1, keep: false)
        #expect(pool.freeCount == 2)
        pool.release(1, keep: false)
        #expect(pool.freeList == [1, 2, 0])
    }
}
