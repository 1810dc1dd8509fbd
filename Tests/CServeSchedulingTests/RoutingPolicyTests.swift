import CServeCore
import Foundation
import Testing

@testable import CServeScheduling

struct RoutingPolicyTests {
    @Test("Round robin goes round, whatever the load")
    func roundRobin() {
        var router = Router(.roundRobin, replicas: 3)
        let chosen: [Int] = (0..<7).map { _ in router.route(RoutingRequest(promptTokens: 9)) }
        #expect(chosen == [0, 1, 2, 0, 1, 2, 0])
    }

    @Test("The least loaded replica gets the next request; of equals the one with fewer prompt tokens, then the first")
    func leastLoad() {
        var router = Router(.leastLoad, replicas: 3)
        #expect(router.route(RoutingRequest(promptTokens: 100)) == 0)
        #expect(router.route(RoutingRequest(promptTokens: 10)) == 1)
        #expect(router.route(RoutingRequest(promptTokens: 50)) == 2)
        #expect(router.route(RoutingRequest(promptTokens: 5)) == 1)
        router.ended(100, on: 0)
        #expect(router.route(RoutingRequest(promptTokens: 5)) == 0)
        #expect(router.loads.map(\.requests) == [1, 2, 1])
        #expect(router.loads.map(\.promptTokens) == [5, 15, 50])
    }

    @Test("A session stays where it is, and moves only if its replica goes")
    func sessions() {
        var three = Router(.session, replicas: 3)
        var four = Router(.session, replicas: 4)
        var homes: Set<Int> = []
        for session in UInt64(0)..<300 {
            let request = RoutingRequest(promptTokens: 1, session: session)
            let home: Int = three.route(request)
            #expect(three.route(request) == home)
            let grown: Int = four.route(request)
            #expect(grown == home || grown == 3)
            homes.insert(home)
        }
        #expect(homes == [0, 1, 2])
        #expect(three.loads.allSatisfy { $0.requests > 140 })
    }

    @Test("The replica that had the longest beginning gets the request, unless it is far fuller than the emptiest")
    func prefixes() {
        var router = Router(.prefixAware, replicas: 2)
        #expect(router.route(RoutingRequest(promptTokens: 128, prefixes: [1, 2])) == 0)
        #expect(router.route(RoutingRequest(promptTokens: 128, prefixes: [7, 8])) == 1)
        #expect(router.route(RoutingRequest(promptTokens: 192, prefixes: [7, 8, 9])) == 1)
        #expect(router.route(RoutingRequest(promptTokens: 192, prefixes: [1, 5, 6])) == 0)
        for _ in 0..<Router.unevenBy { _ = router.route(RoutingRequest(promptTokens: 64, prefixes: [7])) }
        // 66 against 2: one more than may be.
        #expect(router.loads.map(\.requests) == [2, 66])
        #expect(router.route(RoutingRequest(promptTokens: 64, prefixes: [7])) == 1)
        #expect(router.route(RoutingRequest(promptTokens: 64, prefixes: [7])) == 0)
    }

    @Test("The oldest prefixes are forgotten first, and memory stays bounded")
    func forgetting() {
        var router = Router(.prefixAware, replicas: 2)
        _ = router.route(RoutingRequest(promptTokens: 1))
        #expect(router.route(RoutingRequest(promptTokens: 64, prefixes: [1])) == 1)
        let many: [UInt64] = (2...UInt64(Router.prefixCapacity)).map { $0 }
        _ = router.route(RoutingRequest(promptTokens: 64, prefixes: many))
        #expect(router.route(RoutingRequest(promptTokens: 64, prefixes: [1])) == 1)
        _ = router.route(RoutingRequest(promptTokens: 64, prefixes: [.max]))
        for _ in 0..<4 { router.ended(0, on: 0) }
        #expect(router.route(RoutingRequest(promptTokens: 64, prefixes: [1])) == 0)
    }

    @Test("A scheduler's settings survive JSON, and older ones without the younger fields are read")
    func settings() throws {
        var settings = SchedulerConfiguration(blockCount: 9, maxModelLength: 99)
        settings.growthReserve = .full
        settings.balancesStages = false
        let data = try JSONEncoder().encode(settings)
        #expect(try JSONDecoder().decode(SchedulerConfiguration.self, from: data) == settings)
        var fields = try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
        fields["growthReserve"] = nil
        fields["balancesStages"] = nil
        let older = try JSONSerialization.data(withJSONObject: fields)
        #expect(
            try JSONDecoder().decode(SchedulerConfiguration.self, from: older)
                == SchedulerConfiguration(blockCount: 9, maxModelLength: 99))
    }
}
