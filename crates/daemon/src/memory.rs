//! Memory, as the system gives it to the daemon.

/// Asks the system for pages of its usual size, for this process and as long as it runs. A program calls it
/// before it starts a [`Daemon`](crate::Daemon).
///
/// The program's allocator asks for huge pages, of 2 MiB, where a system gives them to whoever asks. What is
/// given back in pieces the system makes whole again by and by, since one small piece in use is enough for
/// that: in the soak, 94 of a daemon's 231 MB were in such pages. They would spare the engine of a large
/// installation some time, so it is the program that decides, and not the settings of its allocator.
pub fn use_small_pages() {
    // A system that knows no such wish has what it has.
    #[cfg(target_os = "linux")]
    let _ = rustix::thread::disable_transparent_huge_pages(true);
}
