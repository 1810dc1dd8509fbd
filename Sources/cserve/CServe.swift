@main struct CServe { static func main() {} }
