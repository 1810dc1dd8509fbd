// A file mapped into memory for reading, so that a checkpoint's pages come and go as they are packed.

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// A read-only mapping of a whole file, unmapped when its last reference goes.
///
/// Ownership: immutable after opening, so any thread may read.
public final class MappedFile: @unchecked Sendable {
    /// The path, for messages.
    public let path: String
    /// The bytes.
    public let bytes: UnsafeRawBufferPointer

    /// Maps a file.
    /// - Throws: ``CheckpointError/missingFile(_:)`` or ``CheckpointError/unreadable(file:reason:)``.
    public init(path: String) throws(CheckpointError) {
        // A pipe must be refused below, not waited for.
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else {
            if errno == ENOENT { throw .missingFile(path) }
            throw .unreadable(file: path, reason: String(cString: strerror(errno)))
        }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            throw .unreadable(file: path, reason: "it is not a regular file")
        }
        self.path = path
        let size = Int(status.st_size)
        guard size > 0 else {
            bytes = UnsafeRawBufferPointer(start: nil, count: 0)
            return
        }
        guard let mapped = mmap(nil, size, PROT_READ, MAP_PRIVATE, descriptor, 0), mapped != MAP_FAILED else {
            throw .unreadable(file: path, reason: String(cString: strerror(errno)))
        }
        bytes = UnsafeRawBufferPointer(start: mapped, count: size)
    }

    deinit {
        if let base = bytes.baseAddress { munmap(UnsafeMutableRawPointer(mutating: base), bytes.count) }
    }

    /// Lets the system take back the pages that lie wholly inside a run of bytes: they were packed.
    func drop(_ start: UnsafeRawPointer, count: Int) {
        let page = Int(getpagesize())
        let first = (Int(bitPattern: start) + page - 1) / page * page
        let last = (Int(bitPattern: start) + count) / page * page
        guard last > first, let pages = UnsafeMutableRawPointer(bitPattern: first) else { return }
        madvise(pages, last - first, MADV_DONTNEED)
    }

    /// All bytes of a small file.
    static func read(_ path: String) throws(CheckpointError) -> [UInt8] {
        let file = try MappedFile(path: path)
        return withExtendedLifetime(file) { [UInt8](file.bytes) }
    }
}

/// Some bytes of a mapping, which this keeps.
struct MappedRegion: @unchecked Sendable {
    let file: MappedFile
    let bytes: UnsafeRawBufferPointer

    /// As ``MappedFile/drop(_:count:)``.
    func drop() {
        if let start = bytes.baseAddress { file.drop(start, count: bytes.count) }
    }
}
