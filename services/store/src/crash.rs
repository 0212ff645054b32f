//! Named points at which a test can end the process, before and after each durable step of sending and receiving.
//!
//! Not a switch for anybody else: without debug assertions, and so in every release, [`crash_point!`](crate::crash_point)
//! is nothing at all, and neither a name nor the variable is in the binary. A tidy test holds that, and that each point
//! is one at which a test kills.

/// The process ends here, as by `kill -9`, if `FORTHRIGHT_CRASH_AT` names this point: `NAME`, or `NAME*3` for the third
/// time it is passed.
#[macro_export]
macro_rules! crash_point {
    ($name:literal) => {
        #[cfg(debug_assertions)]
        $crate::crash::pass($name);
    };
}

/// What [`crash_point!`](crate::crash_point) does in a build for tests.
#[cfg(debug_assertions)]
pub fn pass(name: &str) {
    use std::sync::LazyLock;
    use std::sync::atomic::{AtomicUsize, Ordering};

    static WANTED: LazyLock<Option<(String, usize)>> = LazyLock::new(|| {
        let wanted = std::env::var("FORTHRIGHT_CRASH_AT").ok()?;
        let (name, time) = wanted.split_once('*').unwrap_or((&wanted, "1"));
        Some((name.to_owned(), time.parse().ok()?))
    });
    static PASSED: AtomicUsize = AtomicUsize::new(0);
    if let Some((wanted, time)) = &*WANTED
        && wanted == name
        && PASSED.fetch_add(1, Ordering::SeqCst) + 1 == *time
    {
        // Nothing is unwound, closed or flushed, as with SIGKILL.
        std::process::abort();
    }
}
