// Accounts for what would do but is not looked at more closely, so that no option goes without a reason.

/// Deployments that meet the targets and are still not reported.
enum Outdone {
    /// One deployment, the cheapest for what it carries, of each option that has none among the chosen.
    static func deployments(of sized: [Deployment], by chosen: [Deployment]) -> [Deployment] {
        var seen: Set<String> = Set(chosen.map { $0.replica.option.name() })
        let cheapestFirst: [Deployment] = sized.sorted { costPerRate($0) < costPerRate($1) }
        return cheapestFirst.filter { seen.insert($0.replica.option.name()).inserted }
    }

    /// Which of the chosen beats it, and by how much.
    static func message(_ one: Deployment, by chosen: [Deployment]) -> String {
        let own: String = "It carries about \(Figures.short(one.capacity)) requests a second\(price(one))"
        guard let best = chosen.min(by: { costPerRate($0) < costPerRate($1) }) else { return own + "." }
        return own + ", \(best.name) about \(Figures.short(best.capacity))\(price(best)); it was not simulated further."
    }

    private static func price(_ one: Deployment) -> String {
        one.usdPerHour.isFinite ? " for $\(Figures.short(one.usdPerHour))/h" : " on \(one.accelerators) accelerators"
    }

    private static func costPerRate(_ one: Deployment) -> Double {
        (one.usdPerHour.isFinite ? one.usdPerHour : Double(one.accelerators)) / max(one.capacity, 1e-9)
    }
}
