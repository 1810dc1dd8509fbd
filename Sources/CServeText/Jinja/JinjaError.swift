// Why a template could not be read or rendered, with the place in the template.

/// An error in a chat template, or one that the template raised.
public struct JinjaError: Error, Hashable, Sendable, CustomStringConvertible {
    /// What went wrong.
    public enum Reason: Hashable, Sendable {
        /// The template is not Jinja.
        case syntax(String)
        /// The template called `raise_exception`: it refuses this conversation.
        case raised(String)
        /// A value that does not exist was used.
        case undefined(String)
        /// An operation on a value of the wrong type (Python's `TypeError`).
        case type(String)
        /// An operation with a wrong value (Python's `ValueError`, `IndexError`, `KeyError`).
        case value(String)
        /// What the sandbox forbids.
        case security(String)
        /// Jinja that chat templates cannot have here, such as `include`.
        case unsupported(String)
        /// A filter that does not exist.
        case unknownFilter(String)
        /// A test that does not exist.
        case unknownTest(String)
        /// A number beyond 64 bits, or a division by zero.
        case arithmetic(String)
        /// More work than allowed.
        case stepLimit(Int)
        /// More output than allowed.
        case outputLimit(Int)
        /// Calls or expressions nested deeper than allowed.
        case recursionLimit(Int)
        /// A string longer than allowed.
        case stringLimit(Int)
        /// A list longer than allowed.
        case listLimit(Int)
        /// Values nested deeper than allowed.
        case nestingLimit(Int)
        /// The deadline has passed.
        case deadline
    }

    /// What went wrong.
    public var reason: Reason
    /// The template's name.
    public var template: String
    /// The line, from 1.
    public var line: Int
    /// The column in characters, from 1.
    public var column: Int

    /// Creates an error.
    public init(_ reason: Reason, template: String, line: Int, column: Int) {
        self.reason = reason
        self.template = template
        self.line = line
        self.column = column
    }

    /// The template's own message, if it refused the conversation by `raise_exception`.
    public var raisedMessage: String? { if case .raised(let message) = reason { message } else { nil } }

    /// The message with the place.
    public var description: String { "\(template), line \(line), column \(column): \(reason)" }
}

extension JinjaError.Reason: CustomStringConvertible {
    /// The message without the place.
    public var description: String {
        switch self {
        case .syntax(let message): "the template is not valid Jinja: \(message)"
        case .raised(let message): message
        case .undefined(let message): message
        case .type(let message): message
        case .value(let message): message
        case .security(let message): message
        case .unsupported(let message): message
        case .unknownFilter(let name): "no filter is named '\(name)'; see Jinja's list of built-in filters"
        case .unknownTest(let name): "no test is named '\(name)'; see Jinja's list of built-in tests"
        case .arithmetic(let message): message
        case .stepLimit(let limit): "the template took more than \(limit) steps; shorten the conversation or the loop"
        case .outputLimit(let limit): "the template wrote more than \(limit) bytes; shorten the conversation"
        case .recursionLimit(let limit): "calls nest deeper than \(limit) levels; does a macro call itself without end?"
        case .stringLimit(let limit): "a string would have more than \(limit) characters"
        case .listLimit(let limit): "a list would have more than \(limit) elements"
        case .nestingLimit(let limit): "values nest deeper than \(limit) levels"
        case .deadline: "rendering the template took longer than allowed"
        }
    }
}

/// A reason on its way to the place where it happened.
struct JinjaFault: Error {
    var reason: JinjaError.Reason

    init(_ reason: JinjaError.Reason) {
        self.reason = reason
    }
}
