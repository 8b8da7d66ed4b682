//! Things that could belong to a real person or company: e-mail addresses, web addresses, numbers to call or to charge.
//!
//! Hosts that are reserved for examples (RFC 2606) are nobody's, and neither are numbers with a part masked
//! ("55-xxxx-0000", which leaves no long run of digits) or plainly invented ones ("5555 0000 123").

use std::ops::RangeInclusive;

use anyhow::{Context as _, Result};
use regex::Regex;

/// From so many digits on a number may be one to call, an account or a card. Shorter ones are cases, orders and sums.
const LONG_NUMBER: usize = 9;
const CARD: RangeInclusive<usize> = 13..=19;
/// Parts of numbers that nobody was given; 555-01 is kept for fiction.
const INVENTED: [&str; 4] = ["0000", "12345", "54321", "55501"];
/// So many times one digit in a row is invented too.
const SAME_DIGITS: usize = 5;
const RESERVED_ENDS: [&str; 4] = [".example", ".invalid", ".test", ".localhost"];
const RESERVED: [&str; 3] = ["example.com", "example.net", "example.org"];

/// Finds what could be somebody's.
pub(crate) struct Private {
    email: Regex,
    link: Regex,
    bare_host: Regex,
    date: Regex,
    number: Regex,
    local_phone: Regex,
}

impl Private {
    pub(crate) fn new() -> Result<Self> {
        let regex = |pattern: &str| Regex::new(pattern).with_context(|| format!("cannot compile {pattern}"));
        Ok(Self {
            email: regex(r"[\w.%+-]*\w@((?:[\w-]+\.)+[a-z]{2,})")?,
            link: regex(r#"(?:https?://|www\.)([^\s/?\#:"'<>]+)"#)?,
            // A known ending, or any ending with a path: "llegó.es" is a full stop without its space, "@profe.edu" a handle.
            bare_host: regex(r"(?:^|[^\w.@-])((?:[\w-]+\.)+(?:(?:com|net|org|info|edu|gov|gob)\b|[a-z]{2,}/\w))")?,
            date: regex(r"\b(?:(?:19|20)\d\d[.-]\d\d?[.-]\d\d?|\d\d?[.-]\d\d?[.-](?:19|20)\d\d)\b")?,
            number: regex(r"[0-9](?:[ .()+-]{0,2}[0-9])+")?,
            local_phone: regex(r"(?:^|[^0-9.-])([0-9]{3,4})[ -]([0-9]{4})(?:$|[^0-9.-])")?,
        })
    }

    /// The first thing in a text that could be somebody's.
    pub(crate) fn find(&self, text: &str) -> Option<String> {
        let text = text.to_lowercase();
        self.address(&text).or_else(|| self.number(&text))
    }

    fn address(&self, text: &str) -> Option<String> {
        let kinds =
            [(&self.email, "an e-mail address"), (&self.link, "a web address"), (&self.bare_host, "a web address")];
        for (pattern, kind) in kinds {
            for found in pattern.captures_iter(text) {
                if is_real_host(&found[1]) {
                    let shown = found[0].trim();
                    return Some(format!("{kind}, `{shown}`: leave it out, or use a host under .example"));
                }
            }
        }
        None
    }

    fn number(&self, text: &str) -> Option<String> {
        let text = self.date.replace_all(text, "date");
        let long = self.number.find_iter(&text).find_map(|found| Some((long_number(found.as_str())?, found.as_str())));
        let (kind, shown) = long.or_else(|| Some(("a phone number", self.local_phone(&text)?)))?;
        Some(format!("what looks like {kind}, `{shown}`: mask digits (55-xxxx-0000), or leave it out"))
    }

    /// Two groups as in a number without its area; one that ends in a year is the number of a case.
    fn local_phone<'t>(&self, text: &'t str) -> Option<&'t str> {
        for found in self.local_phone.captures_iter(text) {
            let year = found[2].starts_with("19") || found[2].starts_with("20");
            if !year && !is_invented(&digits(&found[0])) {
                return found.get(0).map(|found| found.as_str().trim());
            }
        }
        None
    }
}

fn is_real_host(host: &str) -> bool {
    let host = host.split('/').next().unwrap_or(host).trim_matches(|letter: char| !letter.is_alphanumeric());
    let reserved = RESERVED_ENDS.iter().any(|end| host.ends_with(end))
        || RESERVED.iter().any(|name| host == *name || host.ends_with(&format!(".{name}")));
    host.contains('.') && !reserved
}

fn long_number(shown: &str) -> Option<&'static str> {
    let digits = digits(shown);
    if digits.len() < LONG_NUMBER {
        return None;
    }
    if is_card(&digits) {
        return Some("a card number");
    }
    (!is_invented(&digits)).then_some("a phone or account number")
}

fn digits(shown: &str) -> Vec<u8> {
    shown.bytes().filter(u8::is_ascii_digit).collect()
}

/// Whether nobody can have been given the number.
fn is_invented(digits: &[u8]) -> bool {
    let same = digits.windows(SAME_DIGITS).any(|run| run.iter().all(|digit| *digit == run[0]));
    same || INVENTED.iter().any(|part| digits.windows(part.len()).any(|run| run == part.as_bytes()))
}

/// Whether the check digit is right (Luhn): such a number passes for a card however invented its digits are.
fn is_card(digits: &[u8]) -> bool {
    let all_same = digits.iter().all(|digit| *digit == digits[0]);
    let sum: u32 = digits.iter().rev().enumerate().map(|(at, digit)| luhn(at, u32::from(digit - b'0'))).sum();
    CARD.contains(&digits.len()) && !all_same && sum.is_multiple_of(10)
}

const fn luhn(at: usize, digit: u32) -> u32 {
    match (at % 2, digit * 2) {
        (0, _) => digit,
        (_, double @ 0..=9) => double,
        (_, double) => double - 9,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn found(text: &str) -> Option<String> {
        Private::new().unwrap().find(text)
    }

    fn names(text: &str, kind: &str) {
        let found = found(text);
        assert!(found.as_ref().is_some_and(|found| found.contains(kind)), "{text}: {found:?}");
    }

    fn passes(text: &str) {
        assert_eq!(found(text), None, "{text}");
    }

    #[test]
    fn an_e_mail_address_is_found() {
        names("escríbanme a Ana.Perez+luz@correo.com.mx por favor", "an e-mail address");
    }

    #[test]
    fn a_handle_and_an_at_within_a_word_are_no_e_mail_address() {
        passes("hola .@BancoAlmena, l@s clientes de Cl@ve esperan, dice @profe.edu");
    }

    #[test]
    fn a_link_to_a_host_that_could_be_real_is_found() {
        names("mira https://tubanco.mx/pagos", "a web address");
        names("entré a WWW.Telenova.es y nada", "a web address");
        names("pagué en tubanco.com ayer", "a web address");
        names("tubanco.com no abre", "a web address");
        names("see bit.ly/x3k9", "a web address");
    }

    #[test]
    fn reserved_hosts_masked_links_and_a_missing_space_after_a_full_stop_pass() {
        passes("mira https://ayuda.example/pagos o escribe a ana@correo.example");
        passes("entré a www.example.com y a http://... y a https://[enlace]");
        passes("ya llegó.es todo, gracias. Vuelvo.de lunes a viernes");
    }

    #[test]
    fn a_phone_number_is_found_however_it_is_written() {
        for text in
            ["llame al 612 34 76 89 ya", "tel. (55) 4871-9023", "+34 612-347-689", "06.12.37.46.78", "4871-9023"]
        {
            names(text, "a phone");
        }
    }

    #[test]
    fn a_card_number_is_found_even_with_invented_parts() {
        names("mi tarjeta 4539 1488 0343 6467", "a card number");
        names("card 4000 0000 0000 0002", "a card number");
    }

    #[test]
    fn masked_and_invented_numbers_pass() {
        for text in
            ["tarjeta **** **** **** 4821", "55-0000", "llame al 555 000 0000", "4111-xxxx-xxxx-1234", "555-0142"]
        {
            passes(text);
        }
    }

    #[test]
    fn cases_orders_sums_and_dates_pass() {
        for text in [
            "expediente 0455-2023",
            "pedido 45678120",
            "$1.350.000 de multa",
            "el 2024-03-15 10:30",
            "03.11.2024 18 Uhr",
        ] {
            passes(text);
        }
    }
}
