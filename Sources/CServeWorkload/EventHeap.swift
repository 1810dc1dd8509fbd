// What is still to come, earliest first. Inlinable: the simulator asks it at every event, and generics are not specialised
// across modules.
import CServeCore

/// A binary heap by time; of equal times the lower number comes first.
public struct EventHeap<Element> {
    @usableFromInline var items: [(time: Nanoseconds, number: Int, element: Element)] = []

    /// Nothing is to come.
    @inlinable
    public init() {}

    /// When the next one is due.
    @inlinable public var nextTime: Nanoseconds? { items.first?.time }

    /// Its number.
    @inlinable public var nextNumber: Int? { items.first?.number }

    /// The next one.
    @inlinable public var first: Element? { items.first?.element }

    /// Adds one. Cost: logarithmic.
    @inlinable
    public mutating func insert(_ element: Element, at time: Nanoseconds, number: Int) {
        items.append((time, number, element))
        var place: Int = items.count - 1
        while place > 0, precedes(place, (place - 1) / 2) {
            items.swapAt(place, (place - 1) / 2)
            place = (place - 1) / 2
        }
    }

    /// Takes out the next one. Cost: logarithmic.
    @inlinable
    public mutating func removeFirst() -> Element? {
        guard let last = items.indices.last else { return nil }
        items.swapAt(0, last)
        let element = items.removeLast().element
        var place: Int = 0
        while true {
            var least: Int = place
            for child in [2 * place + 1, 2 * place + 2] where child < items.count && precedes(child, least) {
                least = child
            }
            if least == place { return element }
            items.swapAt(place, least)
            place = least
        }
    }

    @inlinable
    func precedes(_ left: Int, _ right: Int) -> Bool {
        (items[left].time, items[left].number) < (items[right].time, items[right].number)
    }
}
