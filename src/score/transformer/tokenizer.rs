//! Texts to token ids.

use std::collections::HashSet;

use tokenizers::{Tokenizer, TruncationParams};

use super::card::{Card, Cleaning};
use super::clean::clean;
use super::error::{TransformerError, first_line};
use super::files::{Files, TOKENIZER};
use super::network::Plan;
use crate::message::{MAX_TEXT_BYTES, head};
use crate::score::lane::Tokens;

/// No piece has more bytes, so that what lies behind so many bytes for each token cannot be among the tokens.
const LONGEST_PIECE_BYTES: usize = 64;

const REMEDY: &str = "save the tokenizer of this model again: `save_pretrained` of a fast tokenizer writes it";

/// Cuts texts into the pieces of a model.
#[derive(Debug)]
pub(super) struct Cutter {
    tokenizer: Tokenizer,
    cleaning: Cleaning,
    prefix: String,
    most_bytes: usize,
    /// Fills rows up.
    pub(super) padding: i64,
    /// Ids that mark something, and never stand for what somebody wrote.
    marks: HashSet<u32>,
    /// Stands for what is in no piece.
    unknown: Option<u32>,
    /// What stands for a text that could not be cut.
    nothing: Tokens,
}

impl Cutter {
    pub(super) fn of(
        files: &Files,
        card: &Card,
        plan: &Plan,
        config_padding: Option<i64>,
    ) -> Result<Self, TransformerError> {
        let refuse = |what: String| TransformerError::new(&files.place, TOKENIZER, what, REMEDY);
        let mut tokenizer = Tokenizer::from_bytes(&files.tokenizer).map_err(|error| refuse(first_line(&error)))?;
        let most_tokens = card.max_tokens.min(plan.most_tokens());
        let truncation = TruncationParams { max_length: most_tokens, ..TruncationParams::default() };
        tokenizer.with_truncation(Some(truncation)).map_err(|error| refuse(first_line(&error)))?;
        tokenizer.with_padding(None);
        // `[SEP]` in a customer's text is five characters and no end of it.
        tokenizer.set_encode_special_tokens(true);
        let added = tokenizer.get_added_tokens_decoder();
        let marks = added.iter().filter(|(_, token)| token.special).map(|(id, _)| *id).collect();
        let unknown = ["<unk>", "[UNK]"].iter().find_map(|name| tokenizer.token_to_id(name));
        let most = i64::try_from(tokenizer.get_vocab_size(true)).unwrap_or(i64::MAX);
        if most > plan.vocabulary() {
            return Err(refuse(format!("it has {most} pieces, and the network knows {}", plan.vocabulary())));
        }
        let padding = ["<pad>", "[PAD]"].iter().find_map(|name| tokenizer.token_to_id(name)).map(i64::from);
        let mut cutter = Self {
            tokenizer,
            cleaning: card.cleaning,
            prefix: card.prefix.clone(),
            most_bytes: LONGEST_PIECE_BYTES * most_tokens,
            padding: config_padding.or(padding).unwrap_or_default(),
            marks,
            unknown,
            nothing: Tokens::new([]),
        };
        cutter.nothing = cutter.ids_of("").map_err(refuse)?;
        if cutter.nothing.ids().is_empty() {
            return Err(refuse("an empty text has no tokens; the tokenizer must mark where a text begins".to_owned()));
        }
        Ok(cutter)
    }

    /// The text as the network sees it.
    pub(super) fn cut(&self, text: &str) -> Tokens {
        let text = head(text, MAX_TEXT_BYTES);
        let seen = match self.cleaning {
            Cleaning::Social => clean(text),
            Cleaning::None => text.to_owned(),
        };
        let seen = head(&seen, self.most_bytes);
        let tokens = match self.prefix.is_empty() {
            true => self.ids_of(seen),
            false => self.ids_of(&format!("{}{seen}", self.prefix)),
        };
        tokens.unwrap_or_else(|_| self.nothing.clone())
    }

    /// The ids, with those marks alone that the tokenizer itself puts in: SentencePiece has `</s>` among its pieces too.
    fn ids_of(&self, text: &str) -> Result<Tokens, String> {
        let encoding = self.tokenizer.encode_fast(text, true).map_err(|error| first_line(&error))?;
        let put_in = encoding.get_special_tokens_mask();
        let kept = |(id, put_in): (&u32, &u32)| {
            let is_written = *put_in == 0 && self.marks.contains(id);
            if is_written { self.unknown } else { Some(*id) }
        };
        Ok(Tokens::new(encoding.get_ids().iter().zip(put_in).filter_map(kept).collect::<Box<[u32]>>()))
    }
}
