//! What a sentence claims of a kind of data that it names: that it was exposed, that it was not, or nothing.
//!
//! Knows the forms in which five languages deny, not what sentences mean. Invariant: a denial reaches no further than its
//! clause, and "not only" denies nothing.

use super::text::{Sentence, What, is_unspaced};

/// What is claimed of a kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Claim {
    Exposed,
    NotExposed,
    /// It is asked, supposed, or said to be unknown.
    Nothing,
}

/// Where a kind is named.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    /// First token and the one behind.
    pub(super) from: usize,
    pub(super) to: usize,
    /// Of a run of Japanese: the byte behind the name within the run.
    pub(super) behind: usize,
}

/// Parts of words of a sentence that says what was exposed, and not what somebody should do.
const EXPOSED: &str = "expos affect contain includ found among leak seen compromis reveal disclos stolen taken copied downloaded \
    visible readable breach viewed accessed obtained involved concerned accessible published unprotected betroff \
    enthalt enthielt enthält offen gefunden darunter eingesehen einsehbar gestohlen entwendet kopiert zugänglich \
    abgeflossen veröffentlicht lesbar sichtbar abgerufen gehören gehörten umfass touché contien contenai compren \
    trouvé parmi divulgu concern consulté accessib volé copié figur fuit publié inclus incluent incluí incluy \
    encontr filtrad filtraron afectad expuest expuso accesib robó robad robaron copiad había divulg contení 公開 漏 \
    含ま 流出 露出 閲覧 影響 盗 対象";
/// What else of a sentence shows that a denial is of what was exposed.
const OF_FILES: &str = "files dateien fichiers archivos ファイル exposure data daten";
/// What else shows that a denial is of it: harm that something did not come to.
const OF_HARM: &str = "risk danger harm threat gefahr gefährd bedroh risque menac riesgo peligro amenaz 危険 脅威";
/// Denies without a `not`, behind one of [`STAYS`]: `invoices remained safe`.
const SAFE: &str = "safe secure secured protected unaffected untouched intact unharmed unexposed spared inaccessible sicher geschützt     unberührt unversehrt verschont unangetastet unbetroffen sécurité protégé protégée protégés protégées intacte intactes intacts     épargnées épargnés épargnée épargné l'abri abri sûres sûrs salvo seguro segura seguros seguras protegido protegida     protegidos protegidas intacta intactas intacto intactos indemnes resguardadas resguardados";
const STAYS: &str = "remained remain remains stayed stay stays was were is are been kept left blieb blieben bleiben bleibt war waren     ist sind wurde wurden restée restées resté restés reste restent sont était étaient demeurent demeurées demeurés est fut     furent été permaneció permanecieron permanecen estuvo estuvieron están está estaban quedó quedaron quedan han siguen     siguieron";
/// Between the two: `remained completely safe`, `sont toujours en sécurité`.
const BETWEEN: usize = 3;
const SAFE_JAPANESE: &str = "安全で 安全に 安全な 無事で 守られ 保護され 免れ";
/// `At no time`, `came to no harm`: before or behind what it denies.
const NEVER: [[&str; 2]; 14] = [
    ["no", "time"],
    ["no", "point"],
    ["no", "moment"],
    ["keiner", "zeit"],
    ["keinem", "zeitpunkt"],
    ["aucun", "moment"],
    ["ningún", "momento"],
    ["no", "stage"],
    ["no", "harm"],
    ["nothing", "happened"],
    ["of", "reach"],
    ["nichts", "geschehen"],
    ["nichts", "passiert"],
    ["nichts", "zugestoßen"],
];
/// Words by which nothing is claimed.
const UNSURE: &str = "whether if unless unclear unknown ob falls wenn sofern unklar unbekannt si ignorons inconnu desconocemos \
    suppose angenommen";
const UNSURE_JAPANESE: &str = "かどうか 場合 もし 不明 調査中 わかりません 分かりません";
/// Denies what stands behind it.
const DENIES: &str = "no not none neither nor without never cannot weren wasn isn aren didn doesn don haven hasn hadn kein keine \
    keinen keiner keinem keines keinerlei nicht ohne weder noch niemals aucun aucune non sans ni pas jamais nul \
    nulle ningún ninguna ninguno ningunas sin tampoco nunca jamás nada";
/// Behind a denial: it denies nothing.
const ONLY: &str = "only just merely nur bloß seulement uniquement solo sólo solamente únicamente";
/// English: a denial behind one of these is of what stands before them.
const AUXILIARIES: &str = "was were is are been be has have had will would did do";
/// Behind the Spanish `no`: so it denies what stands before it.
const SPANISH_VERBS: &str = "quedó quedaron fue fueron se está están estaba estaban es son era eran ha han había habían resultó \
    resultaron aparece aparecen figura figuran estuvo estuvieron estaría fuera lo formaban forman";
/// Parts of verbs whose subject holds something: what is denied of it is what it holds.
const HOLDS: &str = "contain enthiel enthält beinhalt umfass contien conten compren comprend inclut incluent incluy incluí \
    comport";
/// Where another clause begins.
const BUT: &str = "but whereas while although though however aber jedoch sondern während obwohl doch hingegen mais tandis \
    cependant pero sino mientras aunque yet dagegen";
const AND: &str = "and or und oder et ou y e o";
/// A part with one of these is a clause of its own.
const VERBS: &str = "was were is are has have had been contained contain contains included includes found remain remained weren \
    wasn aren isn wurde wurden ist sind war waren hat haben hatten enthielt enthielten enthalten blieb blieben \
    gehören a ont est sont était étaient fut furent contenaient contenait figurent figuraient fue fueron quedó \
    quedaron se está están son es ha han había habían resultó resultaron contenían contenía incluyen incluían";
const VERBS_JAPANESE: &str = "され しま ません まし です でし あり ない";
const DENIES_JAPANESE: &str = "ません ない なかった なし";
const ONLY_JAPANESE: &str = "だけでな だけではな のみなら のみではな ばかりでな";
const BUT_JAPANESE: &str = "ましたが ませんが でしたが ですが ますが たものの";
/// Words that a denial reaches.
const REACH: usize = 8;

/// Whether a sentence says what was exposed.
pub(super) fn tells_of_exposure(sentence: &Sentence<'_>) -> bool {
    says(sentence, EXPOSED)
}

/// Whether a denial in it can be of what was exposed.
pub(super) fn may_deny_exposure(sentence: &Sentence<'_>) -> bool {
    tells_of_exposure(sentence)
        || says(sentence, OF_FILES)
        || says(sentence, OF_HARM)
        || is_said_safe(sentence, (0, sentence.tokens.len()))
        || is_never(sentence, (0, sentence.tokens.len()))
        || says(sentence, SAFE_JAPANESE)
        || is_short(sentence)
}

/// Whether words of a clause say that what they are of came to no harm.
fn is_said_safe(sentence: &Sentence<'_>, (from, to): (usize, usize)) -> bool {
    let words: Vec<&str> = (from..to).filter_map(|at| sentence.word(at)).collect();
    words.iter().enumerate().any(|(at, word)| {
        is_among(word, SAFE) && words[at.saturating_sub(BETWEEN + 1)..at].iter().any(|verb| is_among(verb, STAYS))
    })
}

/// Whether a clause denies for all time or all harm: `at no time were invoices exposed`.
fn is_never(sentence: &Sentence<'_>, (from, to): (usize, usize)) -> bool {
    let words: Vec<&str> = (from..to).filter_map(|at| sentence.word(at)).collect();
    words.windows(2).any(|pair| NEVER.iter().any(|never| pair == never))
}

/// `No invoices.`
fn is_short(sentence: &Sentence<'_>) -> bool {
    sentence.tokens.len() <= 3 && !sentence.word(0).is_some_and(|word| word.starts_with(is_unspaced))
}

/// Whether a word is one of a list.
fn is_among(word: &str, list: &str) -> bool {
    list.split_ascii_whitespace().any(|known| known == word)
}

fn says(sentence: &Sentence<'_>, stems: &str) -> bool {
    let words = sentence.lower();
    stems.split_ascii_whitespace().any(|stem| words.contains(stem))
}

/// What the sentence claims of what is named there.
pub(super) fn claim(sentence: &Sentence<'_>, place: Place) -> Claim {
    let clause = clause(sentence, place.from);
    if sentence.is_question() || is_unsure(sentence, clause) {
        return Claim::Nothing;
    }
    let of_japanese = sentence.word(place.from).is_some_and(|word| word.starts_with(is_unspaced));
    let denied = match of_japanese {
        true => denied_in_japanese(sentence, clause.1, place),
        false => {
            let denied = denied_before(sentence, clause.0, place.from) || denied_behind(sentence, clause.1, place.to);
            // `Were not safe` denies nothing of the exposure.
            (denied || is_never(sentence, clause)) != is_said_safe(sentence, clause)
        }
    };
    if denied { Claim::NotExposed } else { Claim::Exposed }
}

fn is_unsure(sentence: &Sentence<'_>, (from, to): (usize, usize)) -> bool {
    let unsure = |word: &str| match word.starts_with(is_unspaced) {
        true => UNSURE_JAPANESE.split_ascii_whitespace().any(|part| word.contains(part)),
        false => is_among(word, UNSURE),
    };
    (from..to).filter_map(|at| sentence.word(at)).any(unsure)
}

/// First token of the clause of a token, and the one behind its last.
fn clause(sentence: &Sentence<'_>, of: usize) -> (usize, usize) {
    let end = sentence.tokens.len();
    let is_comma = |at: usize| matches!(sentence.mark(at), Some(',' | '、'));
    let mut bounds: Vec<usize> = Vec::new();
    for at in 0..end {
        match &sentence.tokens[at].what {
            What::Mark(';' | '–' | '—') => bounds.push(at),
            What::Word(word) if is_among(word, BUT) => {
                // `…, Passwörter aber nicht`: the clause begins at the comma.
                bounds.push((at.saturating_sub(4)..at).rev().find(|at| is_comma(*at)).unwrap_or(at));
            }
            _ => {}
        }
    }
    let may_part = |at: &usize| is_comma(*at) || sentence.word(*at).is_some_and(|word| is_among(word, AND));
    for at in (0..end).filter(may_part) {
        let from = bounds.iter().copied().filter(|bound| *bound < at).max().map_or(0, |bound| bound + 1);
        let to = bounds.iter().copied().filter(|bound| *bound > at).min().unwrap_or(end);
        if has_verb(sentence, from, at) && has_verb(sentence, at + 1, to) {
            bounds.push(at);
        }
    }
    let from = bounds.iter().copied().filter(|bound| *bound <= of).max().unwrap_or(0);
    let to = bounds.iter().copied().filter(|bound| *bound > of).min().unwrap_or(end);
    (from, to)
}

fn has_verb(sentence: &Sentence<'_>, from: usize, to: usize) -> bool {
    let verb = |word: &str| match word.starts_with(is_unspaced) {
        true => VERBS_JAPANESE.split_ascii_whitespace().any(|part| word.contains(part)),
        false => is_among(word, VERBS),
    };
    (from..to).filter_map(|at| sentence.word(at)).any(verb)
}

fn is_only(sentence: &Sentence<'_>, denial: usize) -> bool {
    sentence.word(denial + 1).is_some_and(|word| is_among(word, ONLY))
}

/// `no invoices`, `keine der Rechnungen`, `n'a pas contenu de factures`, `ninguna factura`.
fn denied_before(sentence: &Sentence<'_>, from: usize, name: usize) -> bool {
    let near = (from..name).rev().filter(|at| sentence.word(*at).is_some()).take(REACH);
    near.into_iter().any(|at| {
        sentence.word(at).is_some_and(|word| is_among(word, DENIES))
            && !is_only(sentence, at)
            && !is_noch(sentence, from, at)
    })
}

/// The German `noch` denies behind `weder` alone.
fn is_noch(sentence: &Sentence<'_>, from: usize, at: usize) -> bool {
    sentence.word(at) == Some("noch") && !(from..at).any(|at| sentence.word(at) == Some("weder"))
}

/// `invoices were not`, `Rechnungen sind nicht`, `les factures n'ont pas été`, `las facturas no quedaron`.
fn denied_behind(sentence: &Sentence<'_>, end: usize, name_ends: usize) -> bool {
    let words: Vec<usize> = (name_ends..end).filter(|at| sentence.word(*at).is_some()).take(REACH).collect();
    let word = |nth: usize| words.get(nth).and_then(|at| sentence.word(*at)).unwrap_or_default();
    let holds = |nth: usize| {
        (0..words.len().min(nth + 2)).any(|at| HOLDS.split_ascii_whitespace().any(|stem| word(at).starts_with(stem)))
    };
    (0..words.len()).any(|nth| {
        let is_last = (words[nth] + 1..end).all(|at| sentence.word(at).is_none());
        let before = nth.checked_sub(1).map(word).unwrap_or_default();
        let verb = (0..nth).any(|at| is_among(word(at), VERBS));
        let denies = match word(nth) {
            "not" | "never" => (is_among(before, AUXILIARIES) && !matches!(before, "did" | "do")) || is_last,
            "weren" | "wasn" | "aren" | "isn" | "haven" | "hasn" | "hadn" => true,
            "nicht" | "nie" | "niemals" => verb || is_last,
            "pas" | "jamais" => !matches!(word(nth + 1), "de" | "d" | "des" | "seulement"),
            "no" | "nunca" | "tampoco" => is_among(word(nth + 1), SPANISH_VERBS) || (is_last && word(nth) == "no"),
            _ => false,
        };
        denies && !is_only(sentence, words[nth]) && !holds(nth)
    })
}

/// Behind the name, up to where a contrast begins.
fn denied_in_japanese(sentence: &Sentence<'_>, end: usize, place: Place) -> bool {
    let run = sentence.word(place.from).unwrap_or_default();
    let rest = run.get(place.behind..).unwrap_or_default();
    if ONLY_JAPANESE.split_ascii_whitespace().any(|only| rest.starts_with(only)) {
        return false;
    }
    let mut behind = rest.to_owned();
    for word in (place.from + 1..end).filter_map(|at| sentence.word(at)).take(REACH) {
        behind.push_str(word);
    }
    let contrast = BUT_JAPANESE.split_ascii_whitespace().filter_map(|but| Some(behind.find(but)? + but.len())).min();
    behind.truncate(contrast.unwrap_or(behind.len()));
    let has = |list: &str| list.split_ascii_whitespace().any(|part| behind.contains(part));
    !has(ONLY_JAPANESE) && has(DENIES_JAPANESE) != has(SAFE_JAPANESE)
}
