//! An assembler for eBPF: instructions by name, jumps by label.
//!
//! It knows what [`program`](super::program) is made of and no more. The kernel's verifier judges what
//! comes of it. Instruction set: RFC 9669.

//------------ Instruction ---------------------------------------------------

/// One instruction as the kernel reads it (RFC 9669 §3).
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[repr(C)]
pub(super) struct Instruction {
    /// What is done.
    pub(super) code: u8,
    /// Destination and source, four bits each.
    pub(super) registers: u8,
    /// Octets from a register's address, or instructions to jump over.
    pub(super) offset: i16,
    /// A number.
    pub(super) immediate: i32,
}

/// A register.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Register(pub(super) u8);

/// How much is loaded.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Size {
    /// One octet.
    Byte = 0x10,
    /// Two.
    Half = 0x08,
    /// Four.
    Word = 0x00,
}

/// When to jump, both sides read as unsigned.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum If {
    /// They are equal.
    Equal = 0x10,
    /// The left is greater.
    Greater = 0x20,
    /// They differ.
    NotEqual = 0x50,
    /// The left is less.
    Less = 0xa0,
}

/// The other side of a comparison.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Than {
    /// A register, all 64 bits.
    Register(Register),
    /// A number, compared with the lower 32 bits.
    Number(u32),
}

/// A place to jump to.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Label(usize);

/// Helper functions of the kernel.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Helper {
    /// `bpf_redirect_map(map, key, flags)`.
    RedirectMap = 51,
    /// `bpf_xdp_get_buff_len(context)`: the octets of the frame.
    FrameLength = 188,
}

//--- Parts of operation codes (RFC 9669 §3 to §5)
const LOAD_64: u8 = 0x18;
const LOAD: u8 = 0x61;
const ADD_64: u8 = 0x07;
const AND_32: u8 = 0x54;
const MOVE_64: u8 = 0xb7;
const TO_BIG_ENDIAN: u8 = 0xdc;
const JUMP: u8 = 0x05;
const JUMP_32: u8 = 0x06;
const FROM_REGISTER: u8 = 0x08;
const CALL: u8 = 0x85;
const EXIT: u8 = 0x95;
/// The source "register" of a 64-bit load whose number is a map's descriptor.
const OF_A_MAP: Register = Register(1);
/// Where no register is named.
const NONE: Register = Register(0);

//------------ Assembler -----------------------------------------------------

/// A program that is being written.
#[derive(Debug, Default)]
pub(super) struct Assembler {
    /// The instructions so far; jumps go nowhere yet.
    code: Vec<Instruction>,
    /// Where each label stands.
    labels: Vec<Option<usize>>,
    /// Jumps, and the label each goes to.
    jumps: Vec<(usize, Label)>,
}

impl Assembler {
    /// A label that stands nowhere yet.
    pub(super) fn label(&mut self) -> Label {
        self.labels.push(None);
        Label(self.labels.len() - 1)
    }

    /// Puts a label in front of the next instruction.
    pub(super) fn place(&mut self, label: Label) {
        self.labels[label.0] = Some(self.code.len());
    }

    /// `to = from`
    pub(super) fn copy(&mut self, to: Register, from: Register) {
        self.push(MOVE_64 | FROM_REGISTER, to, from, 0, 0);
    }

    /// `to = number`
    pub(super) fn set(&mut self, to: Register, number: i32) {
        self.push(MOVE_64, to, NONE, 0, number);
    }

    /// `to += number`
    pub(super) fn add(&mut self, to: Register, number: i32) {
        self.push(ADD_64, to, NONE, 0, number);
    }

    /// `to &= mask`, of the lower 32 bits; the upper become 0
    pub(super) fn mask(&mut self, to: Register, mask: i32) {
        self.push(AND_32, to, NONE, 0, mask);
    }

    /// Reads the lower 16 bits as a number of the network.
    pub(super) fn network_16(&mut self, register: Register) {
        self.push(TO_BIG_ENDIAN, register, NONE, 0, 16);
    }

    /// `to = *(address + offset)`
    pub(super) fn load(&mut self, size: Size, to: Register, address: Register, offset: i16) {
        self.push(LOAD | size as u8, to, address, offset, 0);
    }

    /// `to` = the map of this descriptor
    pub(super) fn load_map(&mut self, to: Register, descriptor: i32) {
        self.push(LOAD_64, to, OF_A_MAP, 0, descriptor);
        self.push(0, NONE, NONE, 0, 0);
    }

    /// `if left CONDITION right, go to label`
    pub(super) fn jump_if(&mut self, left: Register, condition: If, right: Than, label: Label) {
        self.jumps.push((self.code.len(), label));
        match right {
            Than::Register(right) => {
                self.push(JUMP | FROM_REGISTER | condition as u8, left, right, 0, 0);
            }
            Than::Number(number) => {
                self.push(JUMP_32 | condition as u8, left, NONE, 0, number.cast_signed());
            }
        }
    }

    /// Calls a helper: arguments in registers 1 to 5, its result in 0; 1 to 5 are lost.
    pub(super) fn call(&mut self, helper: Helper) {
        self.push(CALL, NONE, NONE, 0, helper as i32);
    }

    /// Ends with what is in register 0.
    pub(super) fn exit(&mut self) {
        self.push(EXIT, NONE, NONE, 0, 0);
    }

    /// The program. `None`: a label stands nowhere, or a jump is too far.
    pub(super) fn assemble(mut self) -> Option<Vec<Instruction>> {
        for (at, label) in self.jumps {
            let target = self.labels.get(label.0).copied().flatten()?;
            let distance = target.checked_sub(at + 1)?;
            self.code.get_mut(at)?.offset = i16::try_from(distance).ok()?;
        }
        Some(self.code)
    }

    /// Appends an instruction.
    fn push(&mut self, code: u8, to: Register, from: Register, offset: i16, immediate: i32) {
        let (high, low) = if cfg!(target_endian = "big") { (to, from) } else { (from, to) };
        self.code.push(Instruction { code, registers: high.0 << 4 | low.0, offset, immediate });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Octets as the kernel would read them on a little-endian machine.
    fn octets(code: &[Instruction]) -> Vec<u8> {
        let each = code.iter().map(|it| {
            let mut one = vec![it.code, it.registers];
            one.extend(it.offset.to_le_bytes());
            one.extend(it.immediate.to_le_bytes());
            one
        });
        each.collect::<Vec<_>>().concat()
    }

    #[test]
    #[cfg(target_endian = "little")]
    fn instructions_are_as_clang_writes_them() {
        let mut it = Assembler::default();
        let (r0, r1, r2) = (Register(0), Register(1), Register(2));
        let end = it.label();
        it.load(Size::Word, r2, r1, 4);
        it.load(Size::Half, r0, r2, 12);
        it.load(Size::Byte, r0, r2, 23);
        it.copy(r1, r2);
        it.set(r0, 2);
        it.add(r1, 42);
        it.mask(r0, 0xf0);
        it.network_16(r0);
        it.jump_if(r1, If::Greater, Than::Register(r2), end);
        it.jump_if(r0, If::NotEqual, Than::Number(8), end);
        it.load_map(r1, 5);
        it.call(Helper::RedirectMap);
        it.place(end);
        it.exit();
        let expected = [
            "6112040000000000", // r2 = *(u32 *)(r1 + 4)
            "69200c0000000000", // r0 = *(u16 *)(r2 + 12)
            "7120170000000000", // r0 = *(u8 *)(r2 + 23)
            "bf21000000000000", // r1 = r2
            "b700000002000000", // r0 = 2
            "070100002a000000", // r1 += 42
            "54000000f0000000", // w0 &= 240
            "dc00000010000000", // r0 = be16 r0
            "2d21040000000000", // if r1 > r2 goto +4
            "5600030008000000", // if w0 != 8 goto +3
            "1811000005000000", // r1 = map 5
            "0000000000000000",
            "8500000033000000", // call 51
            "9500000000000000", // exit
        ];
        let code = octets(&it.assemble().unwrap());
        let told: Vec<String> = code
            .chunks(8)
            .map(|one| one.iter().map(|octet| format!("{octet:02x}")).collect())
            .collect();
        assert_eq!(told, expected);
    }

    #[test]
    fn a_jump_needs_a_place_ahead() {
        let nowhere = |place_first: bool| {
            let mut it = Assembler::default();
            let label = it.label();
            if place_first {
                it.place(label);
            }
            it.jump_if(Register(0), If::Equal, Than::Number(0), label);
            it.exit();
            it.assemble()
        };
        assert_eq!(nowhere(false), None, "it stands nowhere");
        assert_eq!(nowhere(true), None, "backwards: the verifier of old kernels refuses loops");
    }
}
