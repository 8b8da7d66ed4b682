//! A list for the innermost loops.

/// A list with room for as much as it is likely to hold. An item is written always and counted only if it is to stay: which do is hard
/// to guess for a processor.
#[derive(Debug)]
pub(super) struct Pile<T> {
    items: Vec<T>,
    count: usize,
}

impl<T: Copy + Default> Pile<T> {
    /// An empty list with room for so many.
    pub(super) fn new(most: usize) -> Self {
        Self { items: vec![T::default(); most + 1], count: 0 }
    }

    #[cold]
    fn grow(&mut self) {
        self.items.resize(2 * self.items.len(), T::default());
    }

    #[inline]
    pub(super) fn push(&mut self, item: T) {
        self.push_if(true, item);
    }

    #[inline]
    pub(super) fn push_if(&mut self, stays: bool, item: T) {
        if self.count == self.items.len() {
            self.grow();
        }
        self.items[self.count] = item;
        self.count += usize::from(stays);
    }

    /// Holds those of some items that are to stay, and no others.
    #[inline]
    pub(super) fn fill_if(&mut self, items: impl ExactSizeIterator<Item = (bool, T)>) {
        while self.items.len() < items.len() + 1 {
            self.grow();
        }
        let (room, mut count) = (self.items.as_mut_slice(), 0);
        for (stays, item) in items {
            room[count] = item;
            count += usize::from(stays);
        }
        self.count = count;
    }

    #[inline]
    pub(super) fn retain(&mut self, mut stays: impl FnMut(&T) -> bool) {
        let items = self.as_mut_slice();
        let mut kept = 0;
        for place in 0..items.len() {
            let item = items[place];
            items[kept] = item;
            kept += usize::from(stays(&item));
        }
        self.count = kept;
    }

    #[inline]
    pub(super) fn is_empty(&self) -> bool {
        self.count == 0
    }

    #[inline]
    pub(super) fn as_slice(&self) -> &[T] {
        &self.items[..self.count]
    }

    #[inline]
    pub(super) fn as_mut_slice(&mut self) -> &mut [T] {
        &mut self.items[..self.count]
    }

    pub(super) fn clear(&mut self) {
        self.count = 0;
    }

    #[cfg(test)]
    pub(super) fn capacity(&self) -> usize {
        self.items.capacity()
    }
}
