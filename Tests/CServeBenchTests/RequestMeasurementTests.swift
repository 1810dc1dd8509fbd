// What a measurement says of its request.
import CServeBench
import Testing

@Suite("Measurements of requests")
struct RequestMeasurementTests {
    @Test("TPOT spreads what follows the first token over the other tokens")
    func latencies() {
        var measurement = RequestMeasurement(index: 3, due: 1_000, promptTokens: 7)
        measurement.sent = 1_200
        measurement.chunks = [2_200, 2_500, 4_200]
        measurement.outputTokens = 5
        measurement.end = 4_300
        #expect(measurement.lateness == 200)
        #expect(measurement.ttft == 1_000)
        #expect(measurement.e2e == 3_000)
        #expect(measurement.tpot == 500)
    }

    @Test("An answer of one token has no time per output token, a failed one no first token")
    func undefined() {
        var measurement = RequestMeasurement(index: 0, due: 0, promptTokens: 1)
        #expect(measurement.ttft == nil && measurement.tpot == nil)
        measurement.chunks = [10]
        measurement.outputTokens = 1
        #expect(measurement.ttft == 10 && measurement.tpot == nil)
    }
}
