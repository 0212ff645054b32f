//! How mail programs mark what they repeat, in the languages they ship with.
//!
//! Looks at a few lines at a time and at bounded lengths, so that marking a text takes linear time.

/// Lines that a heading like `On … wrote:` is folded over.
const FOLDED: usize = 4;
/// Bytes of such a heading.
const HEADING: usize = 600;

/// Openings of a heading above a quote.
const OPENINGS: &str = "on |am |le |el |il |op |em |den |dnia |w dniu |på |quoting |zitat |a |dne |dňa |la data |în |ons |tor |tis |mån |\
    fre |lör |sön |man |tir |lør |søn |vào |pada |στις |στην |kl. |в |у |за |на |dana ";
/// Verbs in it.
const VERBS: &str = "wrote|writes|schrieb|geschrieben|a écrit|ha escrit|escribió|escribio|ha scritto|scrisse|schreef|geschreven|escreveu|\
    napisał|pisze|skrev|skreiv|kirjoitti|írta|napsal|napísal|quoting|zitat von|a scris|написал|написала|пишет|писал|написав|пише|написа|\
    yazdı|şunu yazdı|έγραψε|je napisao|je pisal|je napisal|kirjutas|rašė|rakstīja|skrifaði|đã viết|menulis|เขียน|כתב|כתבה|كتب|写道|寫道|写到|\
    のメール|さんは書きました|書きました|님이 작성|작성:|썼습니다|님의 메시지";
/// Verbs that people use for other things; they count with a date and an address only.
const RARE_VERBS: &str = "sent|said|sendte|geschickt";
/// Names of the From field in repeated header blocks.
const FROM: &str = "from|von|de|da|van|från|fra|od|lähettäjä|feladó|de la|от|від|gönderen|kimden|από|από τον|差出人|送信者|发件人|寄件者|寄件人|보낸 사람|보낸사람|\
    từ|dari|מאת|من|จาก|saatja|kas|nuo|no|expéditeur|mittente|afzender|remetente|absender";
/// Names of the other fields there.
const OTHERS: &str = "sent|date|to|cc|bcc|subject|reply-to|importance|priority|attachments|organization|gesendet|datum|an|betreff|antwort an|\
    wichtigkeit|priorität|anlagen|envoyé|envoyé le|date d'envoi|à|pour|destinataire|copie|objet|sujet|importance|répondre à|enviado|enviado el|fecha|para|asunto|\
    responder a|inviato|data|a|oggetto|destinatario|rispondi a|verzonden|aan|onderwerp|beantwoorden|skickat|till|kopia|ämne|svara till|sendt|til|kopi|emne|svar til|dato|assunto|\
    enviada|enviada em|enviado em|responder para|wysłano|wysłane|do|dw|temat|odesláno|komu|předmět|kopie|dátum|predmet|odoslané|elküldve|címzett|tárgy|másolatot kap|trimis|trimis la|către|subiect|\
    lähetetty|vastaanottaja|aihe|päivämäärä|päiväys|kopio|отправлено|дата|кому|тема|копия|відправлено|надіслано|копія|gönderildi|gönderme tarihi|gönderilen|tarih|kime|konu|bilgi|στάλθηκε|ημερομηνία|\
    προς|θέμα|κοιν|poslano|poslato|za|送信日時|日付|日時|宛先|件名|发送时间|发送日期|日期|收件人|抄送|主题|寄件日期|傳送時間|收件者|副本|主旨|보낸 날짜|날짜|받는 사람|받는사람|참조|제목|\
    đã gửi|ngày|đến|tới|chủ đề|tiêu đề|dikirim|tanggal|kepada|perihal|נשלח|תאריך|אל|נושא|עותק|تم الإرسال|التاريخ|إلى|الموضوع|ส่ง|วันที่|ถึง|เรื่อง|saadetud|kuupäev|saaja|teema|išsiųsta|kam|tema|nosūtīts";
/// Words between the dashes of a separator.
const SEPARATORS: &str = "original message|original appointment|reply message|antwort nachricht|original-nachricht|originalnachricht|ursprüngliche nachricht|\
    ursprüngliche mail|ursprünglicher termin|originale nachricht|message d'origine|message original|mensaje original|messaggio originale|oorspronkelijk bericht|\
    origineel bericht|mensagem original|ursprungligt meddelande|originalmeddelande|opprinnelig melding|oprindelig meddelelse|alkuperäinen viesti|wiadomość oryginalna|\
    oryginalna wiadomość|původní zpráva|pôvodná správa|eredeti üzenet|mesaj original|mesajul original|исходное сообщение|пересылаемое сообщение исходное|оригинал сообщения|\
    orijinal mesaj|özgün ileti|αρχικό μήνυμα|izvorna poruka|izvirno sporočilo|元のメッセージ|original message ends|原始邮件|邮件原件|原始郵件|原邮件|원본 메시지|원본 메일|tin nhắn gốc|pesan asli|\
    הודעה מקורית|الرسالة الأصلية|ข้อความต้นฉบับ|algne sõnum|missatge original";
/// Words over a mail that is passed on: what follows is content.
const FORWARDS: &str = "forwarded message|forwarded by|begin forwarded message|forwarded mail|start of forwarded message|weitergeleitete nachricht|\
    anfang der weitergeleiteten|message transféré|message transmis|début du message réexpédié|début du message transféré|message réexpédié|mensaje reenviado|inicio del mensaje reenviado|\
    messaggio inoltrato|inizio messaggio inoltrato|doorgestuurd bericht|begin doorgestuurd bericht|mensagem encaminhada|início da mensagem reencaminhada|vidarebefordrat meddelande|\
    vidarebefordrat mejl|videresendt melding|videresendt besked|videresendt meddelelse|edelleenlähetetty viesti|välitetty viesti|wiadomość przekazana|przekazana wiadomość|treść przekazanej|\
    přeposlaná zpráva|preposlaná správa|továbbított üzenet|mesaj redirecționat|пересылаемое сообщение|пересланное сообщение|перенаправлене повідомлення|переслане повідомлення|\
    iletilmiş mesaj|yönlendirilen ileti|προωθημένο μήνυμα|転送メッセージ|転送されたメッセージ|转发的邮件|转发邮件|轉寄的郵件|전달된 메시지|전달된 메일|thư đã chuyển tiếp|pesan terusan|הודעה שהועברה|رسالة معاد توجيهها";

/// A line behind `>`.
pub(super) fn is_quote(line: &str) -> bool {
    let line = line.strip_prefix(' ').unwrap_or(line);
    line.starts_with('>') && !line.ends_with('<')
}

/// A line behind `>>>`: a quote in a quote, or what a reader wrote into an unmarked mail.
pub(super) fn is_deep_quote(line: &str) -> bool {
    line.trim_start().starts_with(">>")
}

/// Whether some line is marked as people mark what they write into a mail they repeat: `[Pat] …`, `>>> …`, `=> …`.
pub(super) fn answers_inside(lines: &[&str]) -> bool {
    let marks = ["-> ", "--> ", "=> ", "==> ", "→ ", "## ", "@@ "];
    lines.iter().any(|line| {
        let line = line.trim_start();
        marks.iter().any(|mark| line.starts_with(mark)) || (is_deep_quote(line)) || is_signed(line)
    })
}

/// `[Pat] …`, not `[1] …` or `[REHEARSAL] …`.
fn is_signed(line: &str) -> bool {
    let Some((name, rest)) = line.strip_prefix('[').and_then(|line| line.split_once(']')) else { return false };
    let is_name = name.len() < 30 && name.chars().all(|char| char.is_alphabetic() || matches!(char, ' ' | '.' | '-'));
    let shouts = name.len() > 4 && !name.contains(char::is_lowercase);
    is_name && !name.trim().is_empty() && !shouts && rest.trim_start_matches(':').starts_with(' ')
}

/// `-----Original Message-----` and its translations.
pub(super) fn is_separator(line: &str) -> bool {
    words_between(line).is_some_and(|words| listed(SEPARATORS, &words))
}

/// `---------- Forwarded message ----------`, `Begin forwarded message:` and their translations.
pub(super) fn is_forward(line: &str) -> bool {
    let line = line.trim().trim_start_matches(['>', ' ']);
    let heading = line.starts_with(['-', '_', '*', '=']) || line.ends_with([':', '：']);
    let words =
        line.trim_matches(|char: char| matches!(char, '-' | '_' | '*' | '=' | ':' | '：') || char.is_whitespace());
    let words = words.to_lowercase();
    heading
        && line.len() < 200
        && FORWARDS.split('|').any(|known| words == known || words.starts_with(&format!("{known} ")))
}

fn words_between(line: &str) -> Option<String> {
    let line = line.trim();
    let words =
        line.trim_matches(|char: char| matches!(char, '-' | '_' | '=' | '*' | '—' | '–' | ':') || char.is_whitespace());
    (line.len() < 200 && line.starts_with(['-', '_', '=', '*', '—', '–'])).then(|| words.to_lowercase())
}

fn listed(list: &str, word: &str) -> bool {
    list.split('|').any(|known| known == word)
}

/// The end of a heading `On … wrote:` that begins on this line. A heading that begins further down is left to that
/// line, so that own words above it stay.
pub(super) fn attribution_at(lines: &[&str], at: usize) -> Option<usize> {
    heading_at(lines, at, is_attribution)
}

/// The same where marked lines follow: a date and an address are enough then (`2022-10-04 9:00 Vendor <ir@…>:`).
pub(super) fn attribution_above_quote(lines: &[&str], at: usize) -> Option<usize> {
    attribution_at(lines, at)
        .or_else(|| heading_at(lines, at, |lines| is_attribution(lines) || is_dated_address(lines)))
}

fn heading_at(lines: &[&str], at: usize, is_heading: impl Fn(&[&str]) -> bool) -> Option<usize> {
    let end = (at..lines.len().min(at + FOLDED))
        .take_while(|line| !lines[*line].trim().is_empty())
        .find(|line| ends_so(lines[*line]))?;
    let matches = |from: usize| is_heading(&lines[from..=end]);
    (matches(at) && !(at + 1..=end).any(matches)).then_some(end + 1)
}

fn ends_so(line: &str) -> bool {
    line.ends_with([':', '：', '>']) || line.ends_with("----") || line.ends_with("-- ")
}

fn is_attribution(lines: &[&str]) -> bool {
    let Some(heading) = heading(lines) else { return false };
    let dated = heading.contains(|char: char| char.is_ascii_digit());
    let addressed = heading.contains('@');
    let numbered = heading.starts_with(|char: char| char.is_ascii_digit());
    let opens = numbered || OPENINGS.split('|').any(|opening| !opening.is_empty() && heading.starts_with(opening));
    let ends = lines.last().is_some_and(|line| line.trim_end().ends_with([':', '：', '-']));
    let one_line = lines.len() == 1;
    let says = VERBS.split('|').any(|verb| heading.contains(verb));
    let says_rarely = RARE_VERBS.split('|').any(|verb| heading.contains(verb));
    // `Which files? On Tue, 4 Oct 2022 Vendor wrote:` has own words in it: the whole line stays.
    let shared = !opens && [" on ", "- on "].iter().any(|word| heading.contains(word)) && heading.contains("wrote");
    ends && !shared
        && ((says && dated && opens)
            || (says && addressed && (opens || one_line))
            || (says_rarely && dated && addressed && opens)
            || (one_line && dated && addressed && heading.contains('<') && numbered)
            || (one_line && says && lines[0].trim_start().starts_with("--") && heading.split_whitespace().count() < 20))
}

fn is_dated_address(lines: &[&str]) -> bool {
    let Some(heading) = heading(lines) else { return false };
    let digits = heading.chars().filter(char::is_ascii_digit).count();
    lines.len() <= 3 && digits >= 5 && heading.contains('@') && heading.contains('<') && heading.len() < 300
}

/// Its lines as one, lower case, without dashes, stars and quote marks around them.
fn heading(lines: &[&str]) -> Option<String> {
    if lines.iter().map(|line| line.len()).sum::<usize>() > HEADING {
        return None;
    }
    let joined = lines.iter().map(|line| line.trim()).collect::<Vec<_>>().join(" ");
    let plain: String =
        joined.chars().filter(|char| !matches!(char, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}')).collect();
    Some(plain.trim_start_matches(['-', '_', '*', ' ', '=']).trim().to_lowercase())
}

/// The end of a repeated header block (`From: … Sent: … To: … Subject: …`) that begins on this line: it has a From that
/// somebody may be, and at least two other fields near it, or three where neither an address nor a time stands in it.
/// People write lists with such names, too (`From: 2021-01-01`).
pub(super) fn header_block_at(lines: &[&str], at: usize) -> Option<usize> {
    let first = field(lines[at])?;
    let begins = listed(FROM, &first);
    // Hotmail and some others begin with the date or the subject.
    if !begins && !listed(OTHERS, &first) {
        return None;
    }
    if begins && !is_somebody(lines[at]) {
        return None;
    }
    let mut end = at + 1;
    let (mut senders, mut fields, mut empty) = (usize::from(begins), usize::from(!begins), 0);
    for (number, line) in lines.iter().enumerate().skip(at + 1).take(10) {
        match field(line) {
            Some(name) if listed(FROM, &name) && senders == 0 && is_somebody(line) => {
                senders += 1;
                end = number + 1;
            }
            Some(name) if listed(OTHERS, &name) => {
                fields += 1;
                end = number + 1;
            }
            // Long lists of recipients are folded; some programs put empty lines between the fields.
            _ if line.trim().is_empty() && empty < 3 && begins => empty += 1,
            _ if line.starts_with([' ', '\t']) || line.contains('@') => {}
            _ => break,
        }
    }
    let sure = lines[at..end].iter().any(|line| line.contains('@') || has_time(line));
    (senders > 0 && fields >= if sure { 2 } else { 3 }).then_some(end)
}

/// Whether a date with a time of day stands behind the colon.
fn has_time(line: &str) -> bool {
    let value = line.split_once([':', '：']).map_or("", |(_, value)| value);
    value.contains(':') && value.chars().filter(char::is_ascii_digit).count() >= 8
}

/// Whether what stands behind the colon may be a sender: a date, a figure or an IP address is none.
fn is_somebody(line: &str) -> bool {
    let value = line.split_once([':', '：']).map_or("", |(_, value)| value);
    let value = value.trim_matches(|char: char| char == '*' || char.is_whitespace());
    value.is_empty() || value.contains('@') || value.chars().take(80).any(char::is_alphabetic)
}

/// The name before the colon, without stars around it (bold in text) and in lower case.
fn field(line: &str) -> Option<String> {
    let line = line.trim_start_matches(['*', ' ', '\t', '|', '\u{a0}', '\u{3000}', '\u{feff}']);
    let colon = line.char_indices().take(28).find(|(_, char)| matches!(char, ':' | '：'))?.0;
    let name = line[..colon]
        .trim_matches(|char: char| matches!(char, '*' | '\u{a0}' | '\u{200e}' | '\u{200f}') || char.is_whitespace());
    Some(name.to_lowercase())
}
