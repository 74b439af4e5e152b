//! Protocol buffers by hand: as much as a metrics message needs, <https://protobuf.dev/programming-guides/encoding/>.

/// A message that is being written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Message(Vec<u8>);

/// How a field's value is written.
#[derive(Clone, Copy)]
enum WireType {
    Varint = 0,
    Fixed64 = 1,
    Bytes = 2,
}

impl Message {
    /// A string; left out if empty, which is its default.
    pub(super) fn string(self, field: u32, text: &str) -> Self {
        if text.is_empty() { self } else { self.bytes(field, text.as_bytes()) }
    }

    /// A message within this one.
    pub(super) fn message(self, field: u32, message: &Self) -> Self {
        self.bytes(field, &message.0)
    }

    /// Several messages of a repeated field.
    pub(super) fn messages<'m>(self, field: u32, messages: impl IntoIterator<Item = &'m Self>) -> Self {
        messages.into_iter().fold(self, |into, message| into.message(field, message))
    }

    /// An unsigned integer, an enum or a bool.
    pub(super) fn uint(mut self, field: u32, value: u64) -> Self {
        self.tag(field, WireType::Varint);
        self.varint(value);
        self
    }

    /// An `sint32`: in zigzag form, so that small negative numbers are short.
    pub(super) fn sint(self, field: u32, value: i32) -> Self {
        let zigzag = (value << 1) ^ (value >> 31);
        self.uint(field, u64::from(zigzag.cast_unsigned()))
    }

    /// A `fixed64`.
    pub(super) fn fixed(mut self, field: u32, value: u64) -> Self {
        self.tag(field, WireType::Fixed64);
        self.0.extend_from_slice(&value.to_le_bytes());
        self
    }

    /// A `double`.
    pub(super) fn double(self, field: u32, value: f64) -> Self {
        self.fixed(field, value.to_bits())
    }

    /// A packed repeated `uint64`.
    pub(super) fn packed_uints(self, field: u32, values: &[u64]) -> Self {
        let mut packed = Self::default();
        for value in values {
            packed.varint(*value);
        }
        self.message(field, &packed)
    }

    /// A packed repeated `fixed64`.
    pub(super) fn packed_fixed(self, field: u32, values: impl IntoIterator<Item = u64>) -> Self {
        let packed: Vec<u8> = values.into_iter().flat_map(u64::to_le_bytes).collect();
        self.bytes(field, &packed)
    }

    /// The bytes.
    pub(super) fn finish(self) -> Vec<u8> {
        self.0
    }

    fn bytes(mut self, field: u32, bytes: &[u8]) -> Self {
        self.tag(field, WireType::Bytes);
        self.varint(bytes.len() as u64);
        self.0.extend_from_slice(bytes);
        self
    }

    fn tag(&mut self, field: u32, wire: WireType) {
        self.varint(u64::from(field << 3 | wire as u32));
    }

    fn varint(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.0.push(value.to_le_bytes()[0] | 0x80);
            value >>= 7;
        }
        self.0.push(value.to_le_bytes()[0]);
    }
}

/// A field that was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Field<'b> {
    /// An integer.
    Uint(u64),
    /// A string or a message.
    Bytes(&'b [u8]),
    /// Of a type that no reader here needs.
    Other,
}

/// Reads the fields of a message, up to the first that is damaged.
pub(super) fn fields(mut rest: &[u8]) -> impl Iterator<Item = (u64, Field<'_>)> {
    std::iter::from_fn(move || {
        let tag = take_varint(&mut rest)?;
        let field = match tag & 7 {
            0 => Field::Uint(take_varint(&mut rest)?),
            1 => take(&mut rest, 8).map(|_| Field::Other)?,
            2 => {
                let length = usize::try_from(take_varint(&mut rest)?).ok()?;
                Field::Bytes(take(&mut rest, length)?)
            }
            5 => take(&mut rest, 4).map(|_| Field::Other)?,
            _ => return None,
        };
        Some((tag >> 3, field))
    })
}

fn take<'b>(rest: &mut &'b [u8], length: usize) -> Option<&'b [u8]> {
    let (taken, left) = rest.split_at_checked(length)?;
    *rest = left;
    Some(taken)
}

fn take_varint(rest: &mut &[u8]) -> Option<u64> {
    let mut value = 0;
    for shift in (0..64).step_by(7) {
        let byte = take(rest, 1)?[0];
        value |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_those_of_the_specification() {
        // The examples of its chapters on varints, strings and packed fields.
        assert_eq!(Message::default().uint(1, 150).finish(), [0x08, 0x96, 0x01]);
        assert_eq!(Message::default().string(2, "testing").finish(), b"\x12\x07testing");
        assert_eq!(Message::default().packed_uints(6, &[3, 270, 86_942]).finish(), b"\x32\x06\x03\x8e\x02\x9e\xa7\x05");
        assert_eq!(Message::default().sint(1, -2).sint(1, i32::MIN).finish()[..2], [0x08, 0x03]);
    }

    #[test]
    fn what_was_written_is_read_and_damage_ends_the_reading() {
        let inner = Message::default().uint(1, u64::MAX).string(2, "why");
        let bytes = Message::default().message(1, &inner).double(3, 0.5).finish();
        let read: Vec<_> = fields(&bytes).collect();
        assert_eq!(read, [(1, Field::Bytes(&inner.clone().finish())), (3, Field::Other)]);
        let within: Vec<_> = fields(&inner.0).collect();
        assert_eq!(within, [(1, Field::Uint(u64::MAX)), (2, Field::Bytes(b"why"))]);
        for cut in 0..bytes.len() {
            assert!(fields(&bytes[..cut]).count() < 2, "cut at {cut}");
        }
        assert_eq!(fields(&[0xff; 30]).count(), 0);
    }
}
