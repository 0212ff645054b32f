//! Work on every core, for what costs more to reckon than to read.
//!
//! Knows nothing of what is reckoned. Invariant: the answer depends neither on how many cores there are nor on which of
//! them is first.

use crate::AppError;

/// Fewer notices than this are not worth another thread: starting one takes as long as writing a notice.
const WORTH_A_THREAD: usize = 8;

/// What `make` gives for each of these, in order; the first error of all.
pub(super) fn on_every_core<T: Sync, R: Send>(
    from: &[T],
    make: impl Fn(&T) -> Result<R, AppError> + Sync,
) -> Result<Vec<R>, AppError> {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let threads = cores.min(from.len() / WORTH_A_THREAD).max(1);
    let share = from.len().div_ceil(threads).max(1);
    let mut shares = from.chunks(share);
    // The first share is written here, the others beside it.
    let Some(own) = shares.next() else { return Ok(Vec::new()) };
    let make = &make;
    let results: Vec<Result<Vec<R>, AppError>> = std::thread::scope(|scope| {
        let others: Vec<_> = shares.map(|share| scope.spawn(move || share.iter().map(make).collect())).collect();
        let mut results = vec![own.iter().map(make).collect()];
        results.extend(others.into_iter().map(|other| match other.join() {
            Ok(result) => result,
            Err(panic) => std::panic::resume_unwind(panic),
        }));
        results
    });
    let mut all = Vec::with_capacity(from.len());
    for result in results {
        all.extend(result?);
    }
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_order_is_that_of_the_question_and_an_error_is_the_answer() {
        for count in [0_usize, 1, 7, 8, 9, 1_000] {
            let numbers: Vec<usize> = (0..count).collect();
            let doubled = on_every_core(&numbers, |n| Ok(n * 2)).unwrap();
            assert_eq!(doubled, numbers.iter().map(|n| n * 2).collect::<Vec<_>>());
            let last = count.saturating_sub(1);
            let failed =
                on_every_core(&numbers, |n| if *n == last { Err(AppError::missing("it", "go")) } else { Ok(()) });
            assert_eq!(failed.is_err(), count > 0);
        }
    }
}
