//! Where lines are written without waiting for whoever reads them: a file, a pipe, a terminal, a socket.
//!
//! Every write of this process that could wait goes through here: the access log, the log on standard error,
//! the first line and the last. What is not taken is the caller's to keep or to drop.

use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{FileType, Mode, OFlags};
use rustix::io::{Errno, ReadWriteFlags};
use rustix::net::SendFlags;

/// A pipe that has room has it for this much, which is written in one piece (pipe(7), PIPE_BUF).
const PIECE_BYTES_MAX: usize = 4096;
/// Calls for one text: no reader that takes a byte at a time makes a turn longer than this.
const WRITES_MAX: usize = 128;
/// How often, and how long each time, a reader is waited for where it gets a moment: a second in all.
pub const MOMENT_WAITS: usize = 100;
const WAIT: Timespec = Timespec { tv_sec: 0, tv_nsec: 10_000_000 };

/// A descriptor that lines are written to.
#[derive(Debug)]
pub struct Sink<T> {
    target: T,
    way: Way,
    /// What was written last ended amid a line.
    is_amid_line: bool,
    /// The rest of that line will not come, and it has not been ended yet.
    owes_line_end: bool,
}

/// How it is written to without waiting.
#[derive(Clone, Copy, Debug)]
enum Way {
    /// It does not wait by itself.
    Write,
    /// A regular file. At its end, wherever that is by now: it may have been emptied by who rotates logs.
    Append,
    /// A socket is told with each write.
    Send,
    /// Asked for room before each piece: a pipe or terminal that is shared and cannot be opened anew.
    Ask,
}

/// A sink of its own for what `target` leads to.
pub fn open(target: BorrowedFd<'_>) -> io::Result<Sink<OwnedFd>> {
    let descriptor = open_anew(target).map_or_else(|| target.try_clone_to_owned(), Ok)?;
    Sink::of(descriptor)
}

/// A pipe or terminal, opened anew so that it can be non-blocking here without being so for others that share
/// it, the shell for one. `None` for what is something else, does not wait already, or is somebody else's.
pub fn open_anew(target: BorrowedFd<'_>) -> Option<OwnedFd> {
    if !matches!(Way::to(target), Ok(Way::Ask)) {
        return None;
    }
    let path = format!("/proc/self/fd/{}", target.as_raw_fd());
    let flags = OFlags::WRONLY | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    rustix::fs::open(path, flags, Mode::empty()).ok()
}

impl Way {
    fn to(target: BorrowedFd<'_>) -> io::Result<Way> {
        let is_nonblocking = rustix::fs::fcntl_getfl(target)?.contains(OFlags::NONBLOCK);
        Ok(match FileType::from_raw_mode(rustix::fs::fstat(target)?.st_mode) {
            FileType::Socket => Way::Send,
            FileType::RegularFile => Way::Append,
            FileType::Fifo | FileType::CharacterDevice if !is_nonblocking => Way::Ask,
            _ => Way::Write,
        })
    }
}

impl<T: AsFd> Sink<T> {
    pub fn of(target: T) -> io::Result<Sink<T>> {
        let way = Way::to(target.as_fd())?;
        Ok(Sink { target, way, is_amid_line: false, owes_line_end: false })
    }

    /// Writes as much of `text` as is taken, and waits for the reader up to `waits` times. Returns how many
    /// bytes of it were, and why not all.
    pub fn write(&mut self, text: &[u8], waits: usize) -> (usize, Option<Errno>) {
        let (mut written, mut waited) = (0, 0);
        for _ in 0..WRITES_MAX + waits {
            let rest = if self.owes_line_end { b"\n" } else { &text[written..] };
            if rest.is_empty() {
                return (written, None);
            }
            match self.write_once(rest) {
                Ok(0) | Err(Errno::INTR) => {}
                Ok(count) => {
                    self.is_amid_line = rest[count - 1] != b'\n';
                    if !std::mem::take(&mut self.owes_line_end) {
                        written += count;
                    }
                }
                Err(Errno::AGAIN) if waited < waits => {
                    waited += 1;
                    let _ = poll(&mut [PollFd::new(&self.target, PollFlags::OUT)], Some(&WAIT));
                }
                Err(errno) => return (written, Some(errno)),
            }
        }
        (written, Some(Errno::AGAIN))
    }

    /// What has not been written of a line will not come: what comes next starts a line of its own.
    pub fn break_off(&mut self) {
        self.owes_line_end = self.is_amid_line;
    }

    fn write_once(&self, text: &[u8]) -> Result<usize, Errno> {
        let target = self.target.as_fd();
        match self.way {
            Way::Write => rustix::io::write(target, text),
            Way::Append => {
                // Where it stands is moved along for others that share it.
                let current = u64::MAX;
                let text = [io::IoSlice::new(text)];
                match rustix::io::pwritev2(target, &text, current, ReadWriteFlags::APPEND) {
                    Err(Errno::OPNOTSUPP | Errno::NOSYS | Errno::INVAL | Errno::PERM) => {
                        rustix::io::writev(target, &text)
                    }
                    result => result,
                }
            }
            Way::Send => rustix::net::send(target, text, SendFlags::DONTWAIT | SendFlags::NOSIGNAL),
            Way::Ask => {
                let now = Timespec { tv_sec: 0, tv_nsec: 0 };
                match poll(&mut [PollFd::new(&self.target, PollFlags::OUT)], Some(&now))? {
                    0 => Err(Errno::AGAIN),
                    _ => rustix::io::write(target, &text[..text.len().min(PIECE_BYTES_MAX)]),
                }
            }
        }
    }
}

impl<T: AsFd> AsFd for Sink<T> {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.target.as_fd()
    }
}

#[cfg(test)]
mod tests {
    use std::io::{PipeReader, Read as _, Seek as _, Write as _};
    use std::os::unix::net::UnixStream;

    use super::*;

    /// What is on its way to `reader`, of which no writer is left.
    fn rest(mut reader: impl io::Read) -> String {
        let mut text = String::new();
        reader.read_to_string(&mut text).expect("UTF-8");
        text
    }

    /// As for a pipe that is somebody else's.
    fn asked(writer: io::PipeWriter) -> Sink<io::PipeWriter> {
        Sink { way: Way::Ask, ..Sink::of(writer).expect("a sink") }
    }

    fn read(reader: &mut PipeReader, count: usize) {
        reader.read_exact(&mut vec![0; count]).expect("so many bytes");
    }

    #[test]
    fn what_nobody_reads_takes_what_it_has_room_for_and_holds_nobody_up() {
        let text = [b'x'; 300_000];
        let (_reader, writer) = io::pipe().expect("a pipe");
        let (_other_reader, other_writer) = io::pipe().expect("a pipe");
        let (_end, other_end) = UnixStream::pair().expect("two ends");
        let counts = [
            open(writer.as_fd()).expect("a sink").write(&text, 0),
            asked(other_writer).write(&text, 0),
            open(other_end.as_fd()).expect("a sink").write(&text, 0),
        ];
        for (written, refused) in counts {
            assert!((4096..text.len()).contains(&written), "{written}");
            assert_eq!(refused, Some(Errno::AGAIN));
        }
    }

    #[test]
    fn the_pipe_stays_as_it_is_for_others() {
        let (_reader, writer) = io::pipe().expect("a pipe");
        let sink = open(writer.as_fd()).expect("a sink");
        let is_nonblocking =
            |fd: BorrowedFd| rustix::fs::fcntl_getfl(fd).map(|flags| flags.contains(OFlags::NONBLOCK));
        assert_eq!((is_nonblocking(sink.as_fd()), is_nonblocking(writer.as_fd())), (Ok(true), Ok(false)));
    }

    #[test]
    fn a_reader_that_gets_a_moment_gets_all() {
        let (reader, writer) = io::pipe().expect("a pipe");
        let reading = std::thread::spawn(move || rest(reader).len());
        let mut sink = asked(writer);
        assert_eq!(sink.write(&[b'x'; 500_000], 1000), (500_000, None));
        drop(sink);
        assert_eq!(reading.join().expect("the reader"), 500_000);
    }

    #[test]
    fn a_line_that_is_broken_off_is_ended_before_the_next() {
        let (mut reader, writer) = io::pipe().expect("a pipe");
        let mut sink = asked(writer);
        let half = [b'x'; 1 << 20];
        let (written, _) = sink.write(&half, 0);
        sink.break_off();
        assert_eq!(sink.write(b"next\n", 0), (0, Some(Errno::AGAIN)), "still full");
        read(&mut reader, written);
        assert_eq!(sink.write(b"next\n", 0), (5, None));
        sink.break_off();
        assert_eq!(sink.write(b"last\n", 0), (5, None), "nothing was begun");
        drop(sink);
        assert_eq!(rest(reader), "\nnext\nlast\n");
    }

    #[test]
    fn a_file_that_is_emptied_meanwhile_is_written_from_its_start() {
        let mut file = tempfile::tempfile().expect("a file");
        let mut sink = open(file.as_fd()).expect("a sink");
        assert_eq!(sink.write(b"old line\n", 0), (9, None));
        file.set_len(0).expect("an empty file");
        assert_eq!(sink.write(b"new\n", 0), (4, None));
        file.write_all(b"by others\n").expect("a line");
        file.rewind().expect("its start");
        assert_eq!(rest(file), "new\nby others\n");
    }

    #[test]
    fn a_reader_that_is_gone_is_told() {
        let (reader, writer) = io::pipe().expect("a pipe");
        let mut sinks = [open(writer.as_fd()).expect("a sink"), open(writer.as_fd()).expect("a sink")];
        sinks[1].way = Way::Ask;
        drop(reader);
        for sink in &mut sinks {
            assert_eq!(sink.write(b"line\n", 5), (0, Some(Errno::PIPE)));
        }
    }
}
