//! What is logged by the thread of a test.

use std::cell::RefCell;
use std::io;
use std::sync::Once;

thread_local! {
    static LINES: RefCell<Option<Vec<u8>>> = const { RefCell::new(None) };
}

/// Gives what this thread logs meanwhile, from INFO up, beside what comes of it.
///
/// One subscriber serves the whole process. A scoped one for each test would miss lines: what another thread without any is the first to
/// log is remembered as of interest to nobody.
pub(crate) fn logged<Out>(does: impl FnOnce() -> Out) -> (Out, String) {
    static LISTENING: Once = Once::new();
    LISTENING.call_once(|| {
        let subscriber = tracing_subscriber::fmt().with_ansi(false).with_writer(|| OfThisThread).finish();
        tracing::subscriber::set_global_default(subscriber).expect("no test has another one");
        tracing::callsite::rebuild_interest_cache();
    });
    LINES.set(Some(Vec::new()));
    let out = does();
    let lines = LINES.take().unwrap_or_default();
    (out, String::from_utf8(lines).expect("a log is text"))
}

struct OfThisThread;

impl io::Write for OfThisThread {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        LINES.with_borrow_mut(|lines| lines.iter_mut().for_each(|lines| lines.extend_from_slice(bytes)));
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
