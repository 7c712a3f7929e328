//! A builder of zip archives that can say anything, also what is not so.

use flate2::write::DeflateEncoder;
use std::io::Write;

/// An archive to be; every field of a record can be set apart from what is true.
#[derive(Clone)]
pub(crate) struct Zip {
    pub(crate) prefix: Vec<u8>,
    pub(crate) members: Vec<Entry>,
    pub(crate) before_directory: Vec<u8>,
    pub(crate) comment: Vec<u8>,
    pub(crate) trailing: Vec<u8>,
    pub(crate) count: Option<u16>,
    pub(crate) disk: u16,
    pub(crate) zip64: bool,
}

#[derive(Clone)]
pub(crate) struct Entry {
    pub(crate) name: Vec<u8>,
    pub(crate) data: Vec<u8>,
    pub(crate) local: Fields,
    pub(crate) central: Fields,
    pub(crate) descriptor: Vec<u8>,
    /// Bytes before the local header.
    pub(crate) gap: usize,
    /// Overrides the offset that the directory gives.
    pub(crate) offset: Option<u64>,
    /// Leaves the local record out.
    pub(crate) no_local: bool,
}

#[derive(Clone)]
pub(crate) struct Fields {
    pub(crate) name: Option<Vec<u8>>,
    pub(crate) flags: u16,
    pub(crate) method: u16,
    pub(crate) crc: u32,
    pub(crate) compressed: u64,
    pub(crate) size: u64,
    pub(crate) mode: u32,
    pub(crate) extra: Vec<u8>,
    pub(crate) wide: bool,
}

pub(crate) fn deflate(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = DeflateEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

impl Entry {
    pub(crate) fn stored(name: &str, data: &[u8]) -> Self {
        let fields = Fields {
            name: None,
            flags: 0,
            method: 0,
            crc: crc32fast::hash(data),
            compressed: data.len() as u64,
            size: data.len() as u64,
            mode: 0o100_644,
            extra: vec![],
            wide: false,
        };
        Self {
            name: name.into(),
            data: data.to_vec(),
            local: fields.clone(),
            central: fields,
            descriptor: vec![],
            gap: 0,
            offset: None,
            no_local: false,
        }
    }

    pub(crate) fn deflated(name: &str, data: &[u8]) -> Self {
        let packed = deflate(data);
        Self { data: packed.clone(), ..Self::stored(name, data) }.both(|fields| {
            fields.method = 8;
            fields.compressed = packed.len() as u64;
        })
    }

    /// Changes both records alike.
    pub(crate) fn both(mut self, change: impl Fn(&mut Fields)) -> Self {
        change(&mut self.local);
        change(&mut self.central);
        self
    }

    pub(crate) fn with(mut self, change: impl Fn(&mut Self)) -> Self {
        change(&mut self);
        self
    }

    /// As streaming writers do it: zeros in the local header, the truth after the data.
    pub(crate) fn streamed(self, signature: bool, wide: bool) -> Self {
        self.both(|fields| fields.flags |= 8).with(|entry| {
            let Fields { crc, compressed, size, .. } = entry.central;
            let mut descriptor = if signature { b"PK\x07\x08".to_vec() } else { vec![] };
            descriptor.extend(crc.to_le_bytes());
            for value in [compressed, size] {
                if wide {
                    descriptor.extend(value.to_le_bytes());
                } else {
                    descriptor.extend((value as u32).to_le_bytes());
                }
            }
            entry.descriptor = descriptor;
            (entry.local.crc, entry.local.compressed, entry.local.size) = (0, 0, 0);
        })
    }
}

impl Fields {
    fn common(&self, name: &[u8], offset: Option<u64>) -> (Vec<u8>, Vec<u8>) {
        let name = self.name.as_deref().unwrap_or(name);
        let mut extra = self.extra.clone();
        if self.wide {
            let mut values = [self.size.to_le_bytes(), self.compressed.to_le_bytes()].concat();
            values.extend(offset.map(u64::to_le_bytes).into_iter().flatten());
            extra.extend([1, 0, values.len() as u8, 0]);
            extra.extend(values);
        }
        let size = |value: u64| if self.wide { u32::MAX } else { value as u32 };
        let mut out = vec![20, 0];
        out.extend(self.flags.to_le_bytes());
        out.extend(self.method.to_le_bytes());
        out.extend([0, 0, 0x21, 0]);
        out.extend(self.crc.to_le_bytes());
        out.extend(size(self.compressed).to_le_bytes());
        out.extend(size(self.size).to_le_bytes());
        out.extend((name.len() as u16).to_le_bytes());
        out.extend((extra.len() as u16).to_le_bytes());
        (out, [name, &extra].concat())
    }
}

impl Zip {
    pub(crate) fn of(members: impl IntoIterator<Item = Entry>) -> Self {
        Self {
            prefix: vec![],
            members: members.into_iter().collect(),
            before_directory: vec![],
            comment: vec![],
            trailing: vec![],
            count: None,
            disk: 0,
            zip64: false,
        }
    }

    pub(crate) fn with(mut self, change: impl Fn(&mut Self)) -> Self {
        change(&mut self);
        self
    }

    pub(crate) fn build(&self) -> Vec<u8> {
        let (mut out, mut directory) = (self.prefix.clone(), vec![]);
        for entry in &self.members {
            out.extend(vec![0; entry.gap]);
            let offset = entry.offset.unwrap_or((out.len() - self.prefix.len()) as u64);
            if !entry.no_local {
                let (fixed, rest) = entry.local.common(&entry.name, None);
                out.extend([b"PK\x03\x04", &fixed[..], &rest, &entry.data, &entry.descriptor].concat());
            }
            let wide = entry.central.wide;
            let (fixed, rest) = entry.central.common(&entry.name, wide.then_some(offset));
            directory.extend([b"PK\x01\x02\x14\x03", &fixed[..]].concat());
            directory.extend([0; 6]);
            directory.extend((entry.central.mode << 16).to_le_bytes());
            directory.extend(if wide { u32::MAX } else { offset as u32 }.to_le_bytes());
            directory.extend(rest);
        }
        out.extend(&self.before_directory);
        let (start, size) = (out.len() - self.prefix.len(), directory.len());
        out.extend(directory);
        let count = self.count.unwrap_or(self.members.len() as u16);
        if self.zip64 {
            let at = (out.len() - self.prefix.len()) as u64;
            out.extend(b"PK\x06\x06");
            out.extend([44_u64.to_le_bytes(), [45, 0, 45, 0, 0, 0, 0, 0], [0; 8]].concat()[..20].to_vec());
            for value in [u64::from(count), u64::from(count), size as u64, start as u64] {
                out.extend(value.to_le_bytes());
            }
            out.extend(b"PK\x06\x07\0\0\0\0");
            out.extend(at.to_le_bytes());
            out.extend(1_u32.to_le_bytes());
        }
        out.extend(b"PK\x05\x06");
        out.extend(self.disk.to_le_bytes());
        out.extend([0; 2]);
        out.extend([count.to_le_bytes(), count.to_le_bytes()].concat());
        out.extend((if self.zip64 { u32::MAX } else { size as u32 }).to_le_bytes());
        out.extend((if self.zip64 { u32::MAX } else { start as u32 }).to_le_bytes());
        out.extend((self.comment.len() as u16).to_le_bytes());
        out.extend(&self.comment);
        out.extend(&self.trailing);
        out
    }

    pub(crate) fn open(&self) -> wheelproof_wheel::Archive {
        wheelproof_wheel::Archive::from_bytes("test.whl".into(), self.build()).unwrap()
    }
}
