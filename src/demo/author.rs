//! Who writes in the demo: customers with conversations, and the agents and bots who answer them.

use std::collections::VecDeque;

use rand::seq::IndexedRandom as _;
use rand::{Rng, RngExt as _};

use super::deck::Deck;
use super::departments::{COUNT, DEPARTMENTS, Department};
use super::envelope::{Envelope, Stamp};
use super::texts::{Tongue, compose, reply};
use crate::message::{EventTime, Sentiment};

/// How many customers the company has.
const CUSTOMERS: u32 = 5_000;

/// Conversations of a department that may go on.
const OPEN_CONVERSATIONS: usize = 40;

/// Customers who write while their department is in trouble: 9 of 10 negative, none positive.
const TROUBLED_OF_10: (u32, u32) = (9, 0);

const CHANNELS: [&str; 4] = ["chat", "app", "email", "web"];

/// A conversation that may go on.
#[derive(Clone, Copy, Debug)]
struct Conversation {
    number: u64,
    customer: u32,
    channel: &'static str,
}

/// What one department's customers write next.
#[derive(Debug)]
struct Desk {
    usual: Deck<Sentiment>,
    troubled: Deck<Sentiment>,
    /// By tongue and sentiment.
    phrases: [[Deck<&'static str>; Sentiment::ALL.len()]; Tongue::ALL.len()],
    open: VecDeque<Conversation>,
}

/// Everybody who writes.
#[derive(Debug)]
pub(crate) struct Writers {
    desks: [Desk; COUNT],
    messages: u64,
    conversations: u64,
}

impl Desk {
    fn new(place: usize) -> Self {
        let Department { negative_of_50, positive_of_50, .. } = DEPARTMENTS[place];
        Self {
            usual: moods(50, negative_of_50, positive_of_50),
            troubled: moods(10, TROUBLED_OF_10.0, TROUBLED_OF_10.1),
            phrases: Tongue::ALL.map(|tongue| {
                std::array::from_fn(|mood| {
                    let phrases = tongue.phrases();
                    let own = phrases.departments[place].of(Sentiment::ALL[mood]);
                    Deck::new([own, phrases.any.of(Sentiment::ALL[mood])].concat())
                })
            }),
            open: VecDeque::with_capacity(OPEN_CONVERSATIONS),
        }
    }
}

/// A deck of `cards` attitudes.
fn moods(cards: u32, negative: u32, positive: u32) -> Deck<Sentiment> {
    let mood = |card| match card {
        card if card < negative => Sentiment::Negative,
        card if card < negative + positive => Sentiment::Positive,
        _ => Sentiment::Neutral,
    };
    Deck::new((0..cards).map(mood).collect())
}

impl Writers {
    /// Everybody, before anything was written.
    pub(crate) fn new() -> Self {
        Self { desks: std::array::from_fn(Desk::new), messages: 0, conversations: 0 }
    }

    /// A customer writes to a department, in or out of trouble.
    pub(crate) fn customer(
        &mut self,
        rng: &mut impl Rng,
        department: usize,
        troubled: bool,
        at: EventTime,
    ) -> (Envelope, Sentiment) {
        let conversation = self.converse(rng, department);
        let tongue = tongue_of(conversation.customer);
        let desk = &mut self.desks[department];
        let sentiment = if troubled { desk.troubled.draw(rng) } else { desk.usual.draw(rng) };
        let phrase = desk.phrases[tongue as usize][sentiment as usize].draw(rng);
        let text = compose(rng, tongue, sentiment, phrase);
        let mut envelope = self.envelope(rng, department, conversation, text, at);
        envelope.author = rng.random_bool(0.6).then_some("customer");
        envelope.audience = rng.random_bool(0.04).then_some("internal");
        (envelope, sentiment)
    }

    /// An agent or a bot answers in a conversation; none where no conversation is open.
    pub(crate) fn reply(&mut self, rng: &mut impl Rng, department: usize, at: EventTime) -> Option<Envelope> {
        let open = &self.desks[department].open;
        let conversation = *open.get(below(rng, open.len())?)?;
        let tongue = tongue_of(conversation.customer);
        let by_agent = rng.random_bool(0.65);
        let phrases = if by_agent { tongue.phrases().agent } else { tongue.phrases().bot };
        let phrase = phrases.choose(rng)?;
        let text = reply(rng, tongue, phrase);
        let mut envelope = self.envelope(rng, department, conversation, text, at);
        envelope.author = Some(if by_agent { "agent" } else { "bot" });
        Some(envelope)
    }

    /// A conversation goes on, or a customer starts one.
    fn converse(&mut self, rng: &mut impl Rng, department: usize) -> Conversation {
        let open = &mut self.desks[department].open;
        if rng.random_bool(0.35)
            && let Some(conversation) = below(rng, open.len()).and_then(|place| open.get(place))
        {
            return *conversation;
        }
        self.conversations += 1;
        let channel = CHANNELS.choose(rng).copied().unwrap_or("chat");
        let conversation =
            Conversation { number: self.conversations, customer: rng.random_range(0..CUSTOMERS), channel };
        if open.len() == OPEN_CONVERSATIONS {
            open.pop_front();
        }
        open.push_back(conversation);
        conversation
    }

    fn envelope(
        &mut self,
        rng: &mut impl Rng,
        department: usize,
        conversation: Conversation,
        text: String,
        at: EventTime,
    ) -> Envelope {
        self.messages += 1;
        Envelope {
            id: format!("m-{:08}", self.messages),
            text: Some(text),
            department: name_of(rng, &DEPARTMENTS[department]),
            timestamp: Stamp::of(conversation.channel, at),
            customer_id: format!("c-{:05}", conversation.customer),
            conversation_id: format!("v-{:07}", conversation.number),
            author: None,
            audience: None,
            channel: conversation.channel,
            language: rng.random_bool(0.5).then(|| tongue_of(conversation.customer).code()),
        }
    }
}

/// A department by its id, at times by an alias.
fn name_of(rng: &mut impl Rng, department: &Department) -> &'static str {
    if rng.random_bool(0.8) {
        return department.id;
    }
    department.aliases.choose(rng).copied().unwrap_or(department.id)
}

/// Three of five customers write Spanish; each stays with one language.
const fn tongue_of(customer: u32) -> Tongue {
    if customer % 5 < 3 { Tongue::Spanish } else { Tongue::English }
}

/// A place below `limit`; none where there is no place. Drawn as `u32`, the same on every machine.
fn below(rng: &mut impl Rng, limit: usize) -> Option<usize> {
    let limit = u32::try_from(limit).ok().filter(|limit| *limit > 0)?;
    usize::try_from(rng.random_range(0..limit)).ok()
}
