//! Rules, compiled from files.

use std::path::Path;
use std::sync::{Arc, LazyLock};

use strsim::normalized_levenshtein;

use super::compile::Compiler;
use super::file::{self, RuleEntry, RuleFile, RulesError};
use super::graph::Graph;
use super::words::Words;
use crate::message::{Language, SignalSet};

/// The rules inside the binary.
const BUILT_IN: [(&str, &str); 3] = [
    ("es.toml", include_str!("../../../models/signals/es.toml")),
    ("en.toml", include_str!("../../../models/signals/en.toml")),
    ("pt.toml", include_str!("../../../models/signals/pt.toml")),
];

/// Stands under a negation.
pub(super) const NEGATED: u8 = 1;
/// Stands in quotes or in reported speech.
pub(super) const QUOTED: u8 = 2;

/// Negates.
pub(super) const NEGATOR: u8 = 1;
/// Takes a negation back.
pub(super) const LIFTER: u8 = 2;
/// Makes a negation a condition.
pub(super) const CONDITION: u8 = 4;
/// Ends what a negation reaches.
pub(super) const CLAUSE: u8 = 8;
/// A phrase names it.
pub(super) const NAMED: u8 = 16;
/// A phrase goes on with it.
pub(super) const CONTINUES: u8 = 32;

/// What a phrase is to its rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// One of `any`.
    Main,
    /// One of `also`.
    Also,
    /// One of `unless`.
    Unless,
    /// One of `unless_anywhere`.
    Never,
}

/// What is found where a phrase ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Finding {
    /// A phrase of that rule.
    Phrase(u16, Role),
    /// From here on others speak.
    Reported,
}

/// A rule.
#[derive(Clone, Debug)]
pub(super) struct Rule {
    pub(super) name: String,
    pub(super) signals: SignalSet,
    pub(super) needs_also: bool,
}

/// Rules that find signals. Made once, shared by all that match.
#[derive(Debug)]
pub struct Rules {
    pub(super) words: Words,
    pub(super) rules: Vec<Rule>,
    views: Vec<View>,
    /// By language: the place of its view.
    view_of: [usize; LANGUAGES],
    switched_off: usize,
}

const LANGUAGES: usize = Language::ALL.len();

/// What a text in some language is asked about: the phrases and words of the files for it.
#[derive(Debug)]
pub(super) struct View {
    pub(super) graph: Graph,
    /// By class: [`NEGATOR`], [`LIFTER`], [`CONDITION`], [`CLAUSE`], [`NAMED`], [`CONTINUES`].
    pub(super) flags: Vec<u8>,
}

impl Rules {
    /// The rules inside the binary.
    ///
    /// # Errors
    /// Never in a released build: a test holds that they are sound.
    pub fn builtin() -> Result<Arc<Self>, RulesError> {
        static RULES: LazyLock<Result<Arc<Rules>, RulesError>> = LazyLock::new(|| Rules::with_files::<&Path>(&[]));
        RULES.clone()
    }

    /// The rules inside the binary and those of files. A rule of a later file replaces one of the same name.
    ///
    /// # Errors
    /// If a file cannot be read, or something in it cannot be used.
    pub fn with_files<P: AsRef<Path>>(files: &[P]) -> Result<Arc<Self>, RulesError> {
        let mut gathered = Gathered::of(&BUILT_IN)?;
        for path in files {
            let path = path.as_ref();
            gathered.add(&path.display().to_string(), file::read(path)?)?;
        }
        gathered.compile().map(Arc::new)
    }

    /// The rules of those files alone: names and texts.
    #[cfg(test)]
    pub(super) fn of(files: &[(&str, &str)]) -> Result<Arc<Self>, RulesError> {
        Gathered::of(files)?.compile().map(Arc::new)
    }

    /// How many rules there are, without those switched off.
    #[must_use]
    pub fn len(&self) -> usize {
        self.rules.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }

    /// How many rules files switched off.
    #[must_use]
    pub fn switched_off(&self) -> usize {
        self.switched_off
    }

    /// What a text in that language is asked about; all where the language is not known.
    pub(super) fn view(&self, language: Language) -> &View {
        &self.views[self.view_of[language as usize]]
    }

    /// Every view.
    pub(super) fn views(&self) -> impl Iterator<Item = &View> + Clone {
        self.views.iter()
    }

    /// The rules' names with the signals that they find.
    pub fn iter(&self) -> impl Iterator<Item = (&str, SignalSet)> {
        self.rules.iter().map(|rule| (rule.name.as_str(), rule.signals))
    }
}

/// A rule with the file that it stands in.
pub(super) struct Placed {
    source: usize,
    pub(super) key: String,
    pub(super) entry: RuleEntry,
}

/// One file's words and lists.
pub(super) struct Source {
    pub(super) file: String,
    language: Option<Language>,
    pub(super) content: RuleFile,
}

impl Source {
    /// Whether texts in that language are asked about this file's rules.
    fn speaks(&self, language: Language) -> bool {
        language == Language::Other || self.language.is_none_or(|of| of == language)
    }
}

/// What the files hold together.
#[derive(Default)]
struct Gathered {
    sources: Vec<Source>,
    rules: Vec<Placed>,
    switched_off: usize,
}

impl Gathered {
    /// What those files hold: names and texts.
    fn of(files: &[(&str, &str)]) -> Result<Self, RulesError> {
        let mut gathered = Self::default();
        for (name, text) in files {
            gathered.add(name, file::parse(name, text)?)?;
        }
        Ok(gathered)
    }

    fn add(&mut self, file: &str, mut content: RuleFile) -> Result<(), RulesError> {
        let language = match content.language.as_deref() {
            None => None,
            Some(name) => Some(Language::from_name(name).ok_or_else(|| {
                RulesError {
                    file: file.to_owned(),
                    key: "language".to_owned(),
                    value: name.to_owned(),
                    what: "no language that is told apart".to_owned(),
                    remedy:
                        "write es, en, pt, fr, de, it or other, or leave it out for rules that hold in every language"
                            .to_owned(),
                }
            })?),
        };
        self.switch_off(file, &content.off)?;
        let source = self.sources.len();
        for (place, entry) in std::mem::take(&mut content.rules).into_iter().enumerate() {
            let key = format!("rules[{place}]");
            if self.rules.iter().any(|rule| rule.source == source && rule.entry.name == entry.name) {
                return Err(RulesError {
                    file: file.to_owned(),
                    key: format!("{key}.name"),
                    value: entry.name,
                    what: "the file has a rule of that name already".to_owned(),
                    remedy: "give each rule a name of its own".to_owned(),
                });
            }
            self.rules.retain(|rule| rule.entry.name != entry.name);
            self.rules.push(Placed { source, key, entry });
        }
        self.sources.push(Source { file: file.to_owned(), language, content });
        Ok(())
    }

    fn switch_off(&mut self, file: &str, names: &[String]) -> Result<(), RulesError> {
        for (place, name) in names.iter().enumerate() {
            let before = self.rules.len();
            self.rules.retain(|rule| rule.entry.name != *name);
            if self.rules.len() == before {
                return Err(RulesError {
                    file: file.to_owned(),
                    key: format!("off[{place}]"),
                    value: name.clone(),
                    what: "no rule before this file has that name".to_owned(),
                    remedy: self.meant(name),
                });
            }
            self.switched_off += 1;
        }
        Ok(())
    }

    fn meant(&self, name: &str) -> String {
        let names = self.rules.iter().map(|rule| rule.entry.name.as_str());
        guess(name, names)
            .unwrap_or_else(|| "`latido score --explain TEXT` names the rules that find something".to_owned())
    }

    fn compile(self) -> Result<Rules, RulesError> {
        let mut compiler = Compiler::default();
        // The view of all files comes first: it says what is wrong with any, and what negation cancels.
        let rules = self.draw(&mut compiler, Language::Other)?;
        let mut drawn = vec![self.speaking(Language::Other)];
        let mut view_of = [0; LANGUAGES];
        for language in Language::ALL.iter().copied() {
            let speaking = self.speaking(language);
            let known = drawn.iter().position(|other| *other == speaking);
            view_of[language as usize] = known.unwrap_or(drawn.len());
            if known.is_none() {
                self.draw(&mut compiler, language)?;
                drawn.push(speaking);
            }
        }
        let (words, views) = compiler.finish()?;
        Ok(Rules { words, rules, views, view_of, switched_off: self.switched_off })
    }

    /// By file, whether texts in that language are asked about it.
    fn speaking(&self, language: Language) -> Vec<bool> {
        self.sources.iter().map(|source| source.speaks(language)).collect()
    }

    /// Compiles the view of a language; gives its rules.
    fn draw(&self, compiler: &mut Compiler, language: Language) -> Result<Vec<Rule>, RulesError> {
        for source in self.sources.iter().filter(|source| source.speaks(language)) {
            compiler.words_of(source)?;
        }
        let mut rules = Vec::with_capacity(self.rules.len());
        for (number, placed) in self.rules.iter().enumerate() {
            let source = &self.sources[placed.source];
            if source.speaks(language) {
                rules.push(compiler.rule(placed, source, number)?);
            }
        }
        compiler.end_view();
        Ok(rules)
    }
}

/// "did you mean" for the name spelt most alike.
pub(super) fn guess<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> Option<String> {
    known
        .map(|known| (normalized_levenshtein(name, known), known))
        .max_by(|one, other| one.0.total_cmp(&other.0))
        .filter(|(likeness, _)| *likeness > 0.6)
        .map(|(_, known)| format!("did you mean `{known}`?"))
}
