// A route and the table that finds it: exact paths, one prefix, aliases, and an honest 404 or 405.

import HTTPTypes

/// One method of one path.
struct Route: Sendable {
    typealias Handler = @Sendable (Exchange) async throws -> Reply

    var method: HTTPRequest.Method
    var path: String
    /// Whether it answers without a key.
    var isOpen: Bool = false
    var handler: Handler

    static func get(_ path: String, open: Bool = false, _ handler: @escaping Handler) -> Route {
        Route(method: .get, path: path, isOpen: open, handler: handler)
    }

    static func post(_ path: String, _ handler: @escaping Handler) -> Route {
        Route(method: .post, path: path, handler: handler)
    }
}

/// All routes of a server.
struct RouteTable: Sendable {
    private var exact: [String: [Route]] = [:]
    private var prefixed: [Route] = []

    /// Builds the table; a path that ends in `/*` answers everything below it, and `/v1/…` is also `/openai/v1/…`.
    init(_ routes: [Route]) {
        for route in routes {
            if route.path.hasSuffix("/*") {
                prefixed.append(route)
            } else {
                exact[route.path, default: []].append(route)
            }
        }
    }

    /// What a path is called in the table, without the alias.
    static func canonical(_ path: String) -> String {
        path.hasPrefix("/openai/v1/") ? String(path.dropFirst("/openai".count)) : path
    }

    /// What metrics and logs call a path: one of a fixed set, whatever clients ask for.
    func name(of path: String) -> String {
        if exact[path] != nil { return path }
        let prefix: Route? = prefixed.first { path.hasPrefix($0.path.dropLast()) }
        return prefix.map { $0.path.dropLast() + "{model}" } ?? "none"
    }

    /// The route of a request; HEAD is answered as GET.
    func find(_ method: HTTPRequest.Method, _ path: String) throws(APIError) -> Route {
        let candidates: [Route] = exact[path] ?? prefixed.filter { path.hasPrefix($0.path.dropLast()) }
        guard !candidates.isEmpty else { throw .notFound(path: path) }
        let wanted: HTTPRequest.Method = method == .head ? .get : method
        if let route = candidates.first(where: { $0.method == wanted }) { return route }
        throw .methodNotAllowed(
            method: method.rawValue, path: path, allowed: candidates.map(\.method.rawValue).sorted())
    }
}
