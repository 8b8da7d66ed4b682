//! Panes in as few bytes as their counts need.

/// Panes of so many numbers each, all kept in the same width: 1 byte until one of them holds more than 255, then 2, then 4. So a
/// pane of 21 numbers takes 21 bytes while its department has fewer than 25 messages a second.
#[derive(Clone, Debug)]
pub(super) enum PackedPanes<const NUMBERS: usize> {
    Bytes(Vec<[u8; NUMBERS]>),
    Halves(Vec<[u16; NUMBERS]>),
    Words(Vec<[u32; NUMBERS]>),
}

impl<const NUMBERS: usize> PackedPanes<NUMBERS> {
    /// So many empty panes.
    pub(super) fn new(panes: usize) -> Self {
        Self::Bytes(vec![[0; NUMBERS]; panes])
    }

    /// What was counted in a pane.
    pub(super) fn get(&self, place: usize) -> [u32; NUMBERS] {
        match self {
            Self::Bytes(panes) => panes[place].map(u32::from),
            Self::Halves(panes) => panes[place].map(u32::from),
            Self::Words(panes) => panes[place],
        }
    }

    /// Sets what was counted in a pane.
    pub(super) fn set(&mut self, place: usize, numbers: &[u32; NUMBERS]) {
        loop {
            let fits = match self {
                Self::Bytes(panes) => put(&mut panes[place], numbers),
                Self::Halves(panes) => put(&mut panes[place], numbers),
                Self::Words(panes) => put(&mut panes[place], numbers),
            };
            if fits {
                return;
            }
            *self = match self {
                Self::Bytes(panes) => Self::Halves(panes.iter().map(|pane| pane.map(u16::from)).collect()),
                Self::Halves(panes) => Self::Words(panes.iter().map(|pane| pane.map(u32::from)).collect()),
                Self::Words(_) => return,
            };
        }
    }

    /// All panes, in order.
    pub(super) fn iter(&self) -> impl Iterator<Item = [u32; NUMBERS]> {
        let panes = match self {
            Self::Bytes(panes) => panes.len(),
            Self::Halves(panes) => panes.len(),
            Self::Words(panes) => panes.len(),
        };
        (0..panes).map(|place| self.get(place))
    }

    /// Bytes that a pane takes.
    #[cfg(test)]
    pub(super) fn bytes_of_a_pane(&self) -> usize {
        match self {
            Self::Bytes(_) => NUMBERS,
            Self::Halves(_) => 2 * NUMBERS,
            Self::Words(_) => 4 * NUMBERS,
        }
    }
}

/// Whether all numbers fit; if so, they are put there.
fn put<Number: TryFrom<u32> + Copy, const NUMBERS: usize>(
    pane: &mut [Number; NUMBERS],
    numbers: &[u32; NUMBERS],
) -> bool {
    let mut narrow = *pane;
    for (place, &number) in narrow.iter_mut().zip(numbers) {
        let Ok(number) = Number::try_from(number) else { return false };
        *place = number;
    }
    *pane = narrow;
    true
}
