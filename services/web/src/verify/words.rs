//! The words of the page that checks notice codes, in each language of the notices.
//!
//! Decides nothing. Invariant: no answer names an organisation or a figure.

use app::notices::Genuine;
use model::language::Language;

/// All of them in one language.
pub(super) struct Words {
    language: Language,
    pub(super) title: &'static str,
    pub(super) lead: &'static str,
    pub(super) label: &'static str,
    pub(super) example: &'static str,
    pub(super) button: &'static str,
    pub(super) yes_title: &'static str,
    pub(super) but: &'static str,
    pub(super) no_title: &'static str,
    pub(super) no: &'static str,
    pub(super) busy_title: &'static str,
    pub(super) busy: &'static str,
}

impl Words {
    pub(super) fn of(language: Language) -> &'static Self {
        match language {
            Language::En => &EN,
            Language::De => &DE,
            Language::Es => &ES,
            Language::Fr => &FR,
            Language::Ja => &JA,
        }
    }

    /// Whose notice it is, about what, sent when.
    pub(super) fn yes(&self, found: &Genuine) -> String {
        let Genuine { vendor, title, sent_at } = found;
        let day = sent_at.to_string();
        let day = day.get(..10).unwrap_or_default();
        let said = match self.language {
            Language::En => {
                format!("It belongs to a notice of {vendor} about the incident “{title}”, sent on {day} (UTC).")
            }
            Language::De => {
                format!(
                    "Er gehört zu einer Mitteilung von {vendor} über den Vorfall „{title}“, versandt am {day} (UTC)."
                )
            }
            Language::Es => {
                format!("Corresponde a un aviso de {vendor} sobre el incidente «{title}», enviado el {day} (UTC).")
            }
            Language::Fr => {
                format!("Il correspond à un avis de {vendor} sur l’incident « {title} », envoyé le {day} (UTC).")
            }
            Language::Ja => format!("{vendor} が「{title}」の事案について {day}（UTC）に送付した通知のコードです。"),
        };
        let gap = if self.language == Language::Ja { "" } else { " " };
        format!("{said}{gap}{}", self.but)
    }
}

const EN: Words = Words {
    language: Language::En,
    title: "Check a notice code",
    lead: "Type the code from the notice that you received. This page says whether we sent a notice with it. It does not \
           show the notice, nor to whom it went.",
    label: "Notice code",
    example: "Twelve characters, as in K7QF-2M9X-0WTR",
    button: "Check",
    yes_title: "This code is genuine",
    but: "Somebody could copy a genuine code into a forged mail: if yours asks for a log-in, a payment, an attachment or a \
          link, ask us through a channel that you already know.",
    no_title: "We do not know this code",
    no: "Compare it with the notice, character by character, and try again. If it is still not known, treat the mail as a \
         forgery and ask us through a channel that you already know.",
    busy_title: "Too many codes at once",
    busy: "No code was checked. Wait a minute, then try again.",
};

const DE: Words = Words {
    language: Language::De,
    title: "Code einer Mitteilung prüfen",
    lead: "Geben Sie den Code aus der Mitteilung ein, die Sie erhalten haben. Diese Seite sagt, ob wir eine Mitteilung mit \
           diesem Code versandt haben. Sie zeigt weder die Mitteilung noch, an wen sie ging.",
    label: "Code der Mitteilung",
    example: "Zwölf Zeichen, wie in K7QF-2M9X-0WTR",
    button: "Prüfen",
    yes_title: "Dieser Code ist echt",
    but: "Ein echter Code lässt sich in eine gefälschte E-Mail kopieren: Verlangt Ihre eine Anmeldung, eine Zahlung, einen \
          Anhang oder einen Link, fragen Sie uns auf einem Weg, den Sie bereits kennen.",
    no_title: "Diesen Code kennen wir nicht",
    no: "Vergleichen Sie ihn Zeichen für Zeichen mit der Mitteilung und versuchen Sie es noch einmal. Ist er dann immer \
         noch unbekannt, behandeln Sie die E-Mail als Fälschung und fragen Sie uns auf einem Weg, den Sie bereits kennen.",
    busy_title: "Zu viele Codes auf einmal",
    busy: "Es wurde kein Code geprüft. Warten Sie eine Minute und versuchen Sie es dann noch einmal.",
};

const ES: Words = Words {
    language: Language::Es,
    title: "Comprobar el código de un aviso",
    lead: "Introduzca el código del aviso que ha recibido. Esta página dice si hemos enviado un aviso con él. No muestra el \
           aviso ni a quién se envió.",
    label: "Código del aviso",
    example: "Doce caracteres, como en K7QF-2M9X-0WTR",
    button: "Comprobar",
    yes_title: "Este código es auténtico",
    but: "Un código auténtico se puede copiar en un correo falso: si el suyo pide iniciar sesión, un pago, abrir un adjunto \
          o seguir un enlace, pregúntenos por una vía que ya conozca.",
    no_title: "No conocemos este código",
    no: "Compárelo con el aviso, carácter por carácter, e inténtelo de nuevo. Si sigue sin conocerse, considere falso el \
         correo y pregúntenos por una vía que ya conozca.",
    busy_title: "Demasiados códigos a la vez",
    busy: "No se ha comprobado ningún código. Espere un minuto e inténtelo de nuevo.",
};

const FR: Words = Words {
    language: Language::Fr,
    title: "Vérifier le code d’un avis",
    lead: "Saisissez le code de l’avis que vous avez reçu. Cette page dit si nous avons envoyé un avis portant ce code. Elle \
           ne montre ni l’avis ni à qui il a été envoyé.",
    label: "Code de l’avis",
    example: "Douze caractères, comme dans K7QF-2M9X-0WTR",
    button: "Vérifier",
    yes_title: "Ce code est authentique",
    but: "Un code authentique peut être copié dans un faux courriel : si le vôtre demande une connexion, un paiement, une \
          pièce jointe ou un lien, interrogez-nous par un moyen que vous connaissez déjà.",
    no_title: "Nous ne connaissons pas ce code",
    no: "Comparez-le à l’avis, caractère par caractère, et essayez encore. S’il reste inconnu, considérez le courriel comme \
         un faux et interrogez-nous par un moyen que vous connaissez déjà.",
    busy_title: "Trop de codes à la fois",
    busy: "Aucun code n’a été vérifié. Attendez une minute, puis essayez encore.",
};

const JA: Words = Words {
    language: Language::Ja,
    title: "通知コードの確認",
    lead: "お手元の通知に記載されたコードを入力してください。当方がそのコードの通知を送付したかどうかを表示します。通知の内容や送付先は表示しません。",
    label: "通知コード",
    example: "12 文字（例: K7QF-2M9X-0WTR）",
    button: "確認する",
    yes_title: "このコードは本物です",
    but: "本物のコードが偽のメールに書き写されることもあります。ログイン、支払い、添付ファイルの閲覧、リンクのクリックを求めるメールの場合は、すでにご存じの連絡手段で当方にお尋ねください。",
    no_title: "このコードは確認できません",
    no: "通知と一文字ずつ照らし合わせ、もう一度お試しください。それでも確認できない場合は、そのメールを偽物とみなし、すでにご存じの連絡手段で当方にお尋ねください。",
    busy_title: "一度に確認できるコードの数を超えました",
    busy: "コードは確認していません。1 分ほど待ってから、もう一度お試しください。",
};
