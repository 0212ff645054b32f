//! Panics of the Parquet library, which it has over some damaged files: errors for the caller, and no word of them to
//! the terminal.
//!
//! Does not silence anybody else. Invariant: a panic outside of [`guarded`] is reported as if this were not here.

use std::cell::Cell;
use std::panic::{self, AssertUnwindSafe, catch_unwind};
use std::sync::Once;

use parquet::errors::ParquetError;

thread_local! {
    /// Whether this thread is in the library.
    static READING: Cell<bool> = const { Cell::new(false) };
}

/// Reads with the library.
pub(crate) fn guarded<T>(read: impl FnOnce() -> Result<T, ParquetError>) -> Result<T, String> {
    silence();
    let before = READING.replace(true);
    let result = catch_unwind(AssertUnwindSafe(read));
    READING.set(before);
    match result {
        Ok(result) => result.map_err(|error| error.to_string()),
        Err(_) => Err("the reader gave up".to_owned()),
    }
}

/// Puts a hook before the one that reports panics. There is one hook a process, and it is called before a panic is
/// caught.
fn silence() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let report = panic::take_hook();
        panic::set_hook(Box::new(move |panic| {
            if !READING.get() {
                report(panic);
            }
        }));
    });
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    #[test]
    #[ignore = "the next test runs it in a process of its own"]
    fn panic_inside_and_outside() {
        let inside = guarded::<()>(|| panic!("inside"));
        assert_eq!(inside, Err("the reader gave up".to_owned()));
        let outside = catch_unwind(|| panic!("outside"));
        assert!(outside.is_err() && !READING.get());
    }

    #[test]
    fn a_panic_of_the_library_is_silent_and_others_are_reported() {
        let test = "parquet::guard::tests::panic_inside_and_outside";
        let mut child = Command::new(std::env::current_exe().unwrap());
        let output = child.args(["--exact", test, "--ignored", "--nocapture"]).output().unwrap();
        let said = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success() && said.contains("1 passed"), "{said}");
        assert!(said.contains("\noutside"), "{said}");
        assert_eq!(said.matches("panicked at").count(), 1, "{said}");
    }
}
