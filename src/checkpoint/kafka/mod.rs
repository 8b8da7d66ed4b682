//! A compacted topic that keeps the state of each input partition, so that it goes with the partition to whichever daemon of
//! the group gets it.
//!
//! Each checkpoint is one transaction of the changed hours, a small manifest for each partition, and the group's offsets
//! (KIP-447). The group's coordinator refuses the offsets of a member that no longer has the partitions, and then nothing of
//! the transaction counts: a daemon that was thought dead cannot write over its successor's state. The successor reads only
//! after every transaction that had written by then is over.

#[cfg(test)]
#[allow(clippy::unwrap_used)]
pub(crate) mod altered;
mod attempt;
mod book;
mod chunks;
mod client;
mod events;
mod key;
mod log;
#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used)]
mod tests;
mod topic;
mod transaction;

use std::collections::BTreeSet;
use std::sync::Arc;

use self::attempt::Work;
use self::book::Book;
use self::events::{Mail, Post};
use self::key::{Item, place_of};
use self::log::LogReader;
use self::transaction::{Target, Writer};
use super::store::{Sent, Store, StoreError};
use super::{FormatError, Snapshot};
use crate::config::{Config, KafkaConfig, client_config};
use crate::ingest::Member;
use crate::message::PartitionId;
use crate::sabotage::{self, Sabotage};

/// Why the topic cannot serve.
#[derive(Debug, thiserror::Error)]
pub enum KafkaStoreError {
    /// librdkafka refused the settings.
    #[error("no client for the checkpoint topic: {why}; check [kafka] and [kafka.properties]")]
    Client {
        /// What librdkafka said.
        why: String,
    },
    /// The topic cannot be found, made or asked about.
    #[error("checkpoint topic {topic}: {why}; check checkpoint.topic, and that this user may create and describe it")]
    Topic {
        /// The topic.
        topic: String,
        /// What the brokers said.
        why: String,
    },
    /// The topic would lose state.
    #[error(
        "checkpoint topic {topic} has {name}={value}, and would lose state or refuse it: set it to {wanted}, or name \
         another topic in checkpoint.topic"
    )]
    Unfit {
        /// The topic.
        topic: String,
        /// The setting.
        name: String,
        /// What it is.
        value: String,
        /// What it must be.
        wanted: String,
    },
    /// The topic cannot be read.
    #[error(
        "checkpoint topic {topic} cannot be read: {why}; check that its partitions have leaders, and that this user may read \
         it"
    )]
    Read {
        /// The topic.
        topic: String,
        /// What librdkafka said.
        why: String,
    },
    /// The topic cannot be written.
    #[error(
        "cannot {step} a transaction of checkpoint topic {topic}: {why}; check that its partitions have enough replicas in \
         sync, and that this user may write it and transactional ids that begin with latido-"
    )]
    Write {
        /// The topic.
        topic: String,
        /// Which step of the transaction.
        step: &'static str,
        /// What librdkafka said.
        why: String,
    },
    /// The topic of alert events does not take them.
    #[error(
        "alert events wait: topic {topic} does not take them: {why}; check that alerts.topic is there, and that this user may \
         write it"
    )]
    Events {
        /// The topic.
        topic: String,
        /// What librdkafka said.
        why: String,
    },
    /// The partitions have another owner by now.
    #[error("group {group} has given the partitions to another daemon since: {why}")]
    Fenced {
        /// The group.
        group: String,
        /// What the coordinator said.
        why: String,
    },
    /// There is no membership to write under.
    #[error(
        "no partition is assigned, so there is nothing to save in the checkpoint topic; it is saved once the group has \
         assigned some"
    )]
    NoMember,
    /// Something in the topic cannot be decoded.
    #[error(
        "{item} in the checkpoint topic cannot be restored: {source}. Nothing is read, since starting from nothing would \
         lose the windows: name another topic in checkpoint.topic and restart with --start-empty, to go on at the group's \
         offsets with empty windows"
    )]
    Damaged {
        /// What it is of.
        item: String,
        /// What is wrong with it.
        source: FormatError,
    },
    /// The snapshot cannot be encoded.
    #[error("the state cannot be encoded: {0}")]
    Encode(#[source] FormatError),
    /// It is no longer wanted.
    #[error("no longer wanted")]
    Stopped,
}

impl KafkaStoreError {
    /// Whether a transaction that failed so may have been committed all the same.
    fn may_count(&self) -> bool {
        matches!(self, Self::Write { step: transaction::COMMIT, .. })
    }

    /// Wraps what is wrong with an item.
    fn damaged(item: &Item) -> impl FnOnce(FormatError) -> Self {
        let item = match item {
            Item::Manifest(partition) => format!("the state of {partition}"),
            Item::Hour(partition, hour) => format!("hour {hour} since 1970 of {partition}"),
            Item::Detector => "the detector's state".to_owned(),
        };
        |source| Self::Damaged { item, source }
    }
}

/// The checkpoint topic.
pub struct KafkaStore {
    kafka: KafkaConfig,
    topic: String,
    /// The transactional id.
    id: String,
    /// How many partitions the topic has; none before it was looked at.
    places: Option<i32>,
    writer: Option<Writer>,
    book: Book,
    post: Post,
    /// Whether the last transaction counts is not known: the topic must be asked what it holds.
    is_unsure: bool,
}

impl KafkaStore {
    /// A store that has asked the brokers nothing yet. `instance` names this daemon among those of its group.
    #[must_use]
    pub fn new(config: &Config, instance: &str) -> Self {
        Self {
            kafka: config.kafka.clone(),
            topic: config.checkpoint.topic.clone(),
            id: format!("latido-{}/{instance}", config.kafka.group),
            places: None,
            writer: None,
            book: Book::default(),
            post: Post::new(config.alerts.topic.clone()),
            is_unsure: false,
        }
    }

    /// What is saved of all partitions of the group. Needs no rights but to read, and hinders no daemon.
    ///
    /// # Errors
    /// If the topic is not there or cannot be read.
    pub fn read_all(config: &Config) -> Result<Snapshot, StoreError> {
        let reader = LogReader::new(&config.kafka, &config.checkpoint.topic)?;
        let values = reader.read_everything()?;
        let partitions: BTreeSet<PartitionId> = values.keys().filter_map(|key| key.item.partition().cloned()).collect();
        let partitions: Vec<PartitionId> = partitions.into_iter().collect();
        Ok(Book::default().take_up(&partitions, &values)?)
    }

    /// Whether a daemon could keep its state there: what the topic is, and whether transactions are granted. Makes nothing, and
    /// hinders no daemon.
    ///
    /// # Errors
    /// If it could not.
    pub fn try_out(config: &Config) -> Result<String, StoreError> {
        let mut tries = 8;
        let mut go_on = || {
            tries -= 1;
            tries > 0
        };
        let client = client_config(&config.kafka);
        let places = topic::inspect(&client, &config.checkpoint.topic)?;
        let id = format!("latido-{}/check", config.kafka.group);
        let target = Target { topic: &config.checkpoint.topic, group: &config.kafka.group, id: &id };
        Writer::start(client, &target, &mut go_on)?;
        Ok(match places {
            Some(places) => format!("{places} partitions, and transactions are granted"),
            None => "not there yet: the daemon makes it; transactions are granted".to_owned(),
        })
    }

    fn places(&mut self, go_on: &mut dyn FnMut() -> bool) -> Result<i32, KafkaStoreError> {
        if let Some(places) = self.places {
            return Ok(places);
        }
        let places = topic::prepare(&client_config(&self.kafka), &self.topic, go_on)?;
        Ok(*self.places.insert(places))
    }

    /// Has a writer ready; made anew where the one before can write no more.
    fn have_writer(&mut self, go_on: &mut dyn FnMut() -> bool) -> Result<(), KafkaStoreError> {
        if self.writer.as_ref().is_none_or(Writer::is_dead) {
            self.writer.take().into_iter().for_each(Writer::end);
            let target = Target { topic: &self.topic, group: &self.kafka.group, id: &self.id };
            self.writer = Some(Writer::start(client_config(&self.kafka), &target, go_on)?);
        }
        Ok(())
    }

    /// Saves a snapshot with its alert events; without them where their topic does not take them.
    fn write(
        &mut self,
        snapshot: &Snapshot,
        member: &Member,
        go_on: &mut dyn FnMut() -> bool,
    ) -> Result<Sent, KafkaStoreError> {
        if self.is_unsure {
            let partitions: Vec<_> = snapshot.partitions.iter().map(|saved| saved.partition.clone()).collect();
            self.read(&partitions, go_on)?;
        }
        let mail = self.post.due(snapshot).map(Arc::new);
        match self.try_to_write(snapshot, member, mail.as_ref(), go_on) {
            Err(refused @ KafkaStoreError::Events { .. }) => {
                self.post.note_refused();
                self.try_to_write(snapshot, member, None, go_on)?;
                Ok(Sent::Refused(refused.to_string()))
            }
            Err(error) => Err(error),
            Ok(()) => Ok(self.post.note_sent(mail.as_deref()).map_or(Sent::Nothing, Sent::Through)),
        }
    }

    /// One transaction.
    fn try_to_write(
        &mut self,
        snapshot: &Snapshot,
        member: &Member,
        mail: Option<&Arc<Mail>>,
        go_on: &mut dyn FnMut() -> bool,
    ) -> Result<(), KafkaStoreError> {
        let places = self.places(go_on)?;
        let left = self.post.left(snapshot, mail.map(Arc::as_ref));
        let mut plan = self.book.plan(snapshot, &left).map_err(KafkaStoreError::Encode)?;
        // In a build broken so, every other second's.
        if sabotage::is(Sabotage::CheckpointWithoutOffsets) && snapshot.taken.as_millis() / 1_000 % 2 == 1 {
            plan.leave_out_positions();
        }
        // Made when the state was fetched; anew only where it can write no more.
        let mut tries = 10;
        self.have_writer(&mut || {
            tries -= 1;
            tries > 0 && go_on()
        })?;
        let before = self.book.begin(&plan);
        let plan = Arc::new(plan);
        let work = Work {
            plan: Arc::clone(&plan),
            places,
            offsets: snapshot.partitions.iter().map(|saved| (saved.partition.clone(), saved.next_offset)).collect(),
            member: member.clone(),
            mail: mail.cloned(),
        };
        // One that failed may be in the middle of something: the next transaction begins with a new one, which ends whatever
        // this one left open.
        let writer = self.writer.take().ok_or(KafkaStoreError::Stopped)?;
        match attempt::run(writer, work, go_on) {
            Ok(writer) => {
                self.writer = Some(writer);
                self.book.finish(&plan);
                Ok(())
            }
            Err(error) => {
                self.is_unsure = error.may_count();
                if !self.is_unsure {
                    self.book.give_up(before);
                }
                Err(error)
            }
        }
    }

    fn read(
        &mut self,
        partitions: &[PartitionId],
        go_on: &mut dyn FnMut() -> bool,
    ) -> Result<Snapshot, KafkaStoreError> {
        let places = self.places(go_on)?;
        // First, so that what a daemon of this name left open is over.
        self.have_writer(go_on)?;
        let group = self.kafka.group.clone();
        let place = |item: &Item| place_of(item, &group, places);
        let mut wanted: BTreeSet<i32> =
            partitions.iter().map(|partition| place(&Item::Manifest(partition.clone()))).collect();
        wanted.insert(place(&Item::Detector));
        // Not kept: nobody polls it until the next rebalance, and after leaders have moved a client may look for partitions in
        // vain for minutes.
        let mut values = LogReader::new(&self.kafka, &self.topic)?.read((&wanted, places), go_on)?;
        values.retain(|key, _| key.item.partition().is_none_or(|partition| partitions.contains(partition)));
        let snapshot = self.book.take_up(partitions, &values)?;
        self.post.take_up(&snapshot.outbox);
        self.is_unsure = false;
        Ok(snapshot)
    }
}

impl Store for KafkaStore {
    fn save(
        &mut self,
        snapshot: &Snapshot,
        member: Option<&Member>,
        go_on: &mut dyn FnMut() -> bool,
    ) -> Result<Sent, StoreError> {
        let member = member.ok_or(KafkaStoreError::NoMember)?;
        Ok(self.write(snapshot, member, go_on)?)
    }

    fn fetch(&mut self, partitions: &[PartitionId], go_on: &mut dyn FnMut() -> bool) -> Result<Snapshot, StoreError> {
        Ok(self.read(partitions, go_on)?)
    }
}
