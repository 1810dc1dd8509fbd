// Everything that can go wrong with an HTTP request, as clients of OpenAI's API expect to be told.

import CServeCore

/// Why a request was not answered; renders as OpenAI's error object with vLLM's habits where OpenAI has none.
public enum APIError: Error, Hashable, Sendable {
    /// The body is not JSON.
    case malformedJSON(reason: String)
    /// The body is JSON, but not an object.
    case bodyNotAnObject(found: String)
    /// The body exceeds the limit.
    case bodyTooLarge(limit: Int)
    /// The header fields exceed the limit.
    case headersTooLarge(limit: Int)
    /// The request is not HTTP.
    case malformedHTTP
    /// The client took too long to send its request.
    case requestTimeout(seconds: Int)
    /// A field has the wrong JSON type.
    case wrongType(field: String, expected: String, found: String)
    /// A required field is absent.
    case missingField(field: String)
    /// A field has the right type but a value that cannot be.
    case invalidValue(field: String, reason: String)
    /// A field holds more than the server takes.
    case tooMany(field: String, count: Int, limit: Int, unit: String)
    /// A field of the API that this build does not serve.
    case notBuilt(field: String, advice: String)
    /// The request asks for a model that is not served here.
    case unknownModel(name: String, served: [String])
    /// The engine refused the settings.
    case request(RequestError)
    /// The chat template could not be rendered.
    case template(message: String)
    /// The model has no chat template.
    case noChatTemplate
    /// The queue is full.
    case overloaded(message: String, retryAfterSeconds: Int)
    /// The server finishes its work before it stops.
    case draining
    /// The model is still being loaded.
    case starting
    /// The key is missing or wrong.
    case unauthorized
    /// No such route.
    case notFound(path: String)
    /// The route exists for other methods.
    case methodNotAllowed(method: String, path: String, allowed: [String])
    /// The engine failed the request.
    case engineFailed(message: String)
}

extension APIError {
    /// The HTTP status.
    public var status: Int {
        switch self {
        case .malformedJSON, .bodyNotAnObject, .malformedHTTP, .wrongType, .missingField, .invalidValue, .tooMany,
            .notBuilt, .request, .template, .noChatTemplate:
            400
        case .unauthorized: 401
        case .unknownModel, .notFound: 404
        case .methodNotAllowed: 405
        case .requestTimeout: 408
        case .bodyTooLarge: 413
        case .overloaded: 429
        case .headersTooLarge: 431
        case .engineFailed: 500
        case .draining, .starting: 503
        }
    }

    /// OpenAI's class of the error.
    public var type: String {
        switch self {
        case .overloaded: "requests"
        case .engineFailed: "server_error"
        case .draining, .starting: "service_unavailable"
        default: "invalid_request_error"
        }
    }

    /// OpenAI's code of the error.
    public var code: String {
        switch self {
        case .malformedJSON, .bodyNotAnObject: "invalid_json"
        case .bodyTooLarge: "request_too_large"
        case .headersTooLarge: "headers_too_large"
        case .malformedHTTP: "bad_request"
        case .requestTimeout: "request_timeout"
        case .wrongType: "invalid_type"
        case .missingField: "missing_required_parameter"
        case .invalidValue, .tooMany, .template, .noChatTemplate: "invalid_value"
        case .notBuilt: "unsupported_parameter"
        case .unknownModel: "model_not_found"
        case .request(.contextExceeded), .request(.promptExceedsCache): "context_length_exceeded"
        case .request: "invalid_value"
        case .overloaded: "rate_limit_exceeded"
        case .draining, .starting: "service_unavailable"
        case .unauthorized: "invalid_api_key"
        case .notFound: "not_found"
        case .methodNotAllowed: "method_not_allowed"
        case .engineFailed: "internal_error"
        }
    }

    /// The field at fault, if one is.
    public var param: String? {
        switch self {
        case .wrongType(let field, _, _), .missingField(let field), .invalidValue(let field, _),
            .tooMany(let field, _, _, _), .notBuilt(let field, _):
            field
        case .unknownModel: "model"
        case .request(let error): error.parameter
        case .template, .noChatTemplate: "messages"
        default: nil
        }
    }

    /// Seconds after which the client should try again.
    public var retryAfterSeconds: Int? {
        switch self {
        case .overloaded(_, let seconds): max(1, seconds)
        case .draining: 5
        case .starting: 1
        default: nil
        }
    }

    /// The error for a request that the engine did not take.
    init(_ refusal: SubmitRefusal) {
        switch refusal {
        case .invalid(let error): self = .request(error)
        case .overloaded(let message, let seconds): self = .overloaded(message: message, retryAfterSeconds: seconds)
        case .shuttingDown: self = .draining
        }
    }
}

extension APIError: CustomStringConvertible {
    /// What happened, with which numbers, and what to do next.
    public var description: String {
        switch self {
        case .malformedJSON(let reason): "The request body is not valid JSON: \(reason)"
        case .bodyNotAnObject(let found): "The request body must be a JSON object, but is \(found)."
        case .bodyTooLarge(let limit):
            "The request body exceeds \(limit) bytes. Shorten it, or restart the server with a larger --max-body-bytes."
        case .headersTooLarge(let limit):
            "The request's header fields exceed \(limit) bytes. Send fewer or shorter ones."
        case .malformedHTTP: "The request is not valid HTTP/1.1."
        case .requestTimeout(let seconds):
            "The request did not arrive within \(seconds) s. Send header and body without long pauses."
        case .wrongType(let field, let expected, let found): "'\(field)' must be \(expected), but is \(found)."
        case .missingField(let field): "'\(field)' is required."
        case .invalidValue(let field, let reason): "'\(field)' cannot be used: \(reason)"
        case .tooMany(let field, let count, let limit, let unit):
            "'\(field)' has \(count) \(unit), but this server takes at most \(limit)."
        case .notBuilt(let field, let advice): "'\(field)' is not supported by this server. \(advice)"
        case .unknownModel(let name, let served):
            "The model '\(name)' does not exist. Served here: \(served.joined(separator: ", "))."
        default: operationalDescription
        }
    }

    private var operationalDescription: String {
        switch self {
        case .request(let error): error.description
        case .template(let message): "The chat template refused the messages: \(message)"
        case .noChatTemplate:
            "This model has no chat template. Use /v1/completions, or restart the server with --chat-template FILE."
        case .overloaded(let message, _): message
        case .draining: "The server is shutting down and takes no new requests. Send the request to another server."
        case .starting: "The model is still being loaded. Try again in a moment."
        case .unauthorized: "A valid API key is required: send it as 'Authorization: Bearer KEY'."
        case .notFound(let path): "There is nothing at \(path). GET /docs lists what this server answers."
        case .methodNotAllowed(let method, let path, let allowed):
            "\(path) does not answer \(method). Use \(allowed.joined(separator: " or "))."
        case .engineFailed(let message): "The engine failed this request: \(message)"
        default: ""
        }
    }
}
