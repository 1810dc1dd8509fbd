// TLS by certificate files, where the package was built with the trait `TLS`; refused with advice elsewhere.

import HummingbirdCore

#if TLS
    import HummingbirdTLS
    import NIOSSL
#endif

/// Wraps a transport in TLS.
enum TransportSecurity {
    static func wrap(_ plain: HTTPServerBuilder, settings: ServerSettings) throws -> HTTPServerBuilder {
        switch (settings.certificateFile, settings.keyFile) {
        case (nil, nil): return plain
        case (_?, nil): throw ServerError.incompleteCertificate(missing: "--ssl-keyfile")
        case (nil, _?): throw ServerError.incompleteCertificate(missing: "--ssl-certfile")
        case (let certificate?, let key?): return try secure(plain, certificate: certificate, key: key)
        }
    }

    #if TLS
        private static func secure(
            _ plain: HTTPServerBuilder, certificate: String, key: String
        ) throws -> HTTPServerBuilder {
            let chain: [NIOSSLCertificateSource]
            let privateKey: NIOSSLPrivateKey
            do {
                chain = try NIOSSLCertificate.fromPEMFile(certificate).map { .certificate($0) }
            } catch {
                throw ServerError.unusableCertificate(file: certificate, reason: "\(error)")
            }
            do {
                privateKey = try NIOSSLPrivateKey(file: key, format: .pem)
            } catch {
                throw ServerError.unusableCertificate(file: key, reason: "\(error)")
            }
            return try .tls(
                plain,
                tlsConfiguration: .makeServerConfiguration(certificateChain: chain, privateKey: .privateKey(privateKey))
            )
        }
    #else
        private static func secure(
            _ plain: HTTPServerBuilder, certificate: String, key: String
        ) throws -> HTTPServerBuilder {
            throw ServerError.transportSecurityNotBuilt
        }
    #endif
}
