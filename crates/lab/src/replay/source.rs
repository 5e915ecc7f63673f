//! The bytes of a log: unpacked, and turned into UTF-8.

use std::io::{self, Cursor, Read};

use encoding_rs::{Encoding, UTF_8};
use encoding_rs_io::DecodeReaderBytesBuilder;
use flate2::read::MultiGzDecoder;

use super::LogError;

/// Unpacks what is packed with gzip, by its first bytes; anything else is left as it is.
///
/// # Errors
/// [`LogError::Packed`] for a zip file, which spreadsheets (`.xlsx`) are too; [`LogError::Io`].
pub fn unpack<'a>(source: impl Read + 'a) -> Result<Box<dyn Read + 'a>, LogError> {
    let (first, whole) = peek(source)?;
    if first == *b"PK\x03\x04" {
        return Err(LogError::Packed);
    }
    Ok(match first.starts_with(&[0x1f, 0x8b]) {
        true => Box::new(MultiGzDecoder::new(whole)),
        false => Box::new(whole),
    })
}

/// UTF-8 of a text in `encoding`, or in the one that its byte order mark names. UTF-8 itself is passed on
/// as it is, so that the row with the wrong bytes can be told; other encodings' wrong bytes become U+FFFD.
pub(super) fn decode<R: Read>(
    source: R,
    encoding: &'static Encoding,
) -> Result<impl Read, LogError> {
    let (first, whole) = peek(source)?;
    let marked = Encoding::for_bom(&first).map(|(encoding, _)| encoding);
    let mut builder = DecodeReaderBytesBuilder::new();
    let encoding = marked.unwrap_or(encoding);
    if encoding == UTF_8 {
        builder.utf8_passthru(true);
    } else {
        builder.encoding(Some(encoding));
    }
    Ok(builder.strip_bom(true).build(whole))
}

/// The first four bytes, or zeros for those that are not there; and the whole source again.
fn peek<R: Read>(mut source: R) -> Result<([u8; 4], impl Read), LogError> {
    let mut first = [0; 4];
    let mut filled = 0;
    while filled < first.len() {
        match source.read(&mut first[filled..]) {
            Ok(0) => break,
            Ok(read) => filled += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(LogError::Io { line: 1, error }),
        }
    }
    Ok((first, Cursor::new(first).take(filled as u64).chain(source)))
}
