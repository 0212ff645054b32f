//! Texts, a line each, and what is to be said of everything in them.

use super::super::Verdict::{Agrees, CannotTell, Contradicts, Rounds, Withheld};
use super::found;

/// A text and what is found: (verdict, as it stands there).
type Row = (&'static str, &'static [(super::super::Verdict, &'static str)]);

#[track_caller]
fn check(rows: &[Row]) {
    let mut wrong = Vec::new();
    for (text, expect) in rows {
        let found = found(text);
        let found: Vec<_> = found.iter().map(|(verdict, said)| (*verdict, said.as_str())).collect();
        if found != *expect {
            wrong.push(format!("{text}: {found:?}"));
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
}

#[test]
fn english() {
    check(&[
        ("1,648,458 files of 65,000 organisations were exposed.", &[(Agrees, "1,648,458"), (Agrees, "65,000")]),
        ("We notified 66,000 organisations.", &[(Contradicts, "66,000")]),
        ("We found 65 thousand organisations.", &[(Agrees, "65 thousand")]),
        ("About 65k organisations and 1.6M files.", &[(Agrees, "65k"), (Rounds, "1.6M")]),
        ("sixty-five thousand organisations", &[(Agrees, "sixty-five thousand")]),
        ("Three thousand organisations are named in them.", &[(Contradicts, "Three thousand")]),
        ("A dozen of customers", &[(CannotTell, "A dozen")]),
        ("We know of a dozen customers.", &[(Contradicts, "a dozen")]),
        ("Only two organisations are concerned.", &[(Contradicts, "two")]),
        ("At most 70,000 organisations, more than 60,000 organisations.", &[(Rounds, "70,000"), (Rounds, "60,000")]),
        ("Fewer than 100 organisations.", &[(Contradicts, "100")]),
        ("More than 100 organisations.", &[(CannotTell, "100")]),
        ("Between 60,000 and 70,000 organisations.", &[(Rounds, "60,000 and 70,000")]),
        ("50,000–60,000 organisations", &[(Contradicts, "50,000–60,000")]),
        ("The server held 2.4 TB.", &[(Rounds, "2.4 TB")]),
        (
            "The server held 3.1 TB, or 2,400,512,000,000 bytes.",
            &[(Contradicts, "3.1 TB"), (Agrees, "2,400,512,000,000 bytes")],
        ),
        ("Half a million projects", &[(Contradicts, "Half a million")]),
        ("1.6 million objects, 1.7 million objects", &[(Rounds, "1.6 million"), (Contradicts, "1.7 million")]),
        ("1,648,458 publicly\nreachable\nfiles", &[(Agrees, "1,648,458")]),
        ("The number of exposed files is 1,648,459.", &[(Contradicts, "1,648,459")]),
        ("Objects: 12\nProjects: 133,000", &[(Contradicts, "12"), (Agrees, "133,000")]),
        ("Files (1,648,458)", &[(Agrees, "1,648,458")]),
        ("In 2022 customers asked us. Since 2017 files have been kept.", &[]),
        ("Answers within 72 hours.", &[(CannotTell, "72")]),
        ("10% of the customers, 5 percent of files", &[(CannotTell, "10"), (CannotTell, "5")]),
        ("Article 33 companies, GDPR Art. 34, Articles 33 and 34 companies, Art. 33(3) customers.", &[]),
        ("ISO 27001 customers; Section 5 files; § 42 customers", &[]),
        ("Incident bb-2022-11, case A17, at 08:00 UTC, version 1.2.3, 192.0.2.7, K7QF-2M9X-0WTA.", &[]),
        ("1. Files were copied.\n2) Users were told.\n- 65,000 organisations", &[(Agrees, "65,000")]),
        ("Call +49 30 1234567 customers", &[]),
        ("12 of our customers asked.", &[(CannotTell, "12")]),
        ("Another 12 customers asked.", &[(CannotTell, "12")]),
        ("1,204 of the files are invoices.", &[(Agrees, "1,204")]),
        ("1,205 invoices", &[(Contradicts, "1,205"), (Agrees, "invoices")]),
        ("1,204 invoice files", &[(Agrees, "1,204")]),
        ("88 signed customer documents", &[(Agrees, "88")]),
        ("335,000 customer e-mail addresses", &[(Agrees, "335,000")]),
        ("335,000 data subjects", &[(Agrees, "335,000")]),
        ("336,000 persons are affected; we hired 50 people.", &[(Contradicts, "336,000"), (Contradicts, "50")]),
        ("We hired 50 people.", &[(CannotTell, "50")]),
        (
            "1 in 10 customers asked. Three customers asked.",
            &[(CannotTell, "1"), (CannotTell, "10"), (CannotTell, "Three")],
        ),
        ("By the end of 2022 customers have answers. Between 2017 and 2022 customers wrote.", &[]),
        ("Founded in 1998, with +1 800 555 0199 and 24/7 support.", &[]),
        ("3,512 organisations could not be identified.", &[(Agrees, "3,512")]),
        ("3,512 organisations", &[(Contradicts, "3,512")]),
        ("548,000 users are named.", &[(Withheld, "548,000")]),
        ("About 550,000 users", &[(Withheld, "550,000")]),
        ("4,900,123 references", &[(Withheld, "4,900,123")]),
        ("Salaries were among them; 548,000 were named.", &[(Withheld, "Salaries"), (Withheld, "548,000")]),
        ("Salary data was exposed.", &[(Withheld, "Salary")]),
        ("No users were affected.", &[(Contradicts, "No users")]),
        ("No customer passwords were seen.", &[(CannotTell, "passwords")]),
        ("Passwords in clear text were found.", &[(Contradicts, "Passwords in clear text")]),
        ("None was a password in clear text.", &[(CannotTell, "password in clear text")]),
        ("Other things. Your name.", &[]),
        ("We discovered it on 19 October 2022.", &[(Contradicts, "19 October 2022")]),
        (
            "Discovered on 24 Sept 2022, contained on 26 September 2022.",
            &[(Agrees, "24 Sept 2022"), (Agrees, "26 September 2022")],
        ),
        ("We write again by 15 October 2022.", &[(CannotTell, "15 October 2022")]),
        ("Documents dated 2016-01-02 to 2022-08-30", &[(Contradicts, "2016-01-02"), (Agrees, "2022-08-30")]),
        ("documents of 2017 to August 2022", &[(Agrees, "August 2022")]),
        ("It may be 12 files.", &[(Contradicts, "12")]),
    ]);
}

#[test]
fn german() {
    check(&[
        ("1.648.458 Dateien von 65.000 Unternehmen", &[(Agrees, "1.648.458"), (Agrees, "65.000")]),
        ("Betroffen sind 1.648.459 Dateien.", &[(Contradicts, "1.648.459")]),
        ("fünfundsechzigtausend Organisationen", &[(Agrees, "fünfundsechzigtausend")]),
        ("Es sind zwölf Kunden betroffen.", &[(Contradicts, "zwölf")]),
        ("Ein Dutzend Unternehmen", &[(Contradicts, "Ein Dutzend")]),
        ("rund 65 Tsd. Organisationen, 1,6 Mio. Dateien", &[(Agrees, "65 Tsd."), (Rounds, "1,6 Mio.")]),
        ("133.000 Projektdateien", &[(Contradicts, "133.000")]),
        ("1.648.458 Kundendateien auf 2,4 TB", &[(Agrees, "1.648.458"), (Rounds, "2,4 TB")]),
        ("Entdeckt wurde es am 25.09.2022.", &[(Contradicts, "25.09.2022")]),
        ("Am 24. September 2022 wurde der Fehler festgestellt.", &[(Agrees, "24. September 2022")]),
        ("Binnen 72 Stunden, zu 10 %, nach Art. 33 DSGVO, § 42 BDSG", &[(CannotTell, "72"), (CannotTell, "10")]),
        ("Im Jahr 2022 Kunden zu verlieren", &[]),
        ("1.204 Rechnungen", &[(Agrees, "1.204")]),
        ("548.000 Benutzer", &[(Withheld, "548.000")]),
        ("Keine Benutzer waren betroffen.", &[(Contradicts, "Keine Benutzer")]),
        ("Anzahl der Dateien: 1.648.458", &[(Agrees, "1.648.458")]),
    ]);
}

#[test]
fn french() {
    check(&[
        (
            "1 648 458 fichiers de 65\u{202f}000 entreprises, soit 2,4 To",
            &[(Agrees, "1 648 458"), (Agrees, "65\u{202f}000"), (Rounds, "2,4 To")],
        ),
        ("Au total 1 700 000 fichiers.", &[(Contradicts, "1 700 000")]),
        ("soixante-cinq mille organisations ont été touchées", &[(Agrees, "soixante-cinq mille")]),
        ("Une douzaine de clients sont concernés.", &[(Contradicts, "Une douzaine")]),
        ("1,6 million de fichiers et 335 000 adresses électroniques", &[(Rounds, "1,6 million"), (Agrees, "335 000")]),
        ("Découvert le 25 septembre 2022.", &[(Contradicts, "25 septembre 2022")]),
        ("Nous avons constaté les faits le 24 septembre 2022.", &[(Agrees, "24 septembre 2022")]),
        ("dans les 72 heures, 10 % des clients, article 33 du RGPD", &[(CannotTell, "72"), (CannotTell, "10")]),
        ("En 2022 clients et partenaires", &[]),
        ("Nombre de projets : 133 001", &[(Contradicts, "133 001")]),
        ("548 000 utilisateurs", &[(Withheld, "548 000")]),
        ("d’environ 65 000 organisations", &[(Agrees, "65 000")]),
    ]);
}

#[test]
fn spanish() {
    check(&[
        ("1.648.458 archivos de 65 000 empresas", &[(Agrees, "1.648.458"), (Agrees, "65 000")]),
        ("sesenta y cinco mil organizaciones", &[(Agrees, "sesenta y cinco mil")]),
        ("Se vieron 336.000 direcciones de correo.", &[(Contradicts, "336.000")]),
        ("1,6 millones de archivos, 2,4 TB", &[(Rounds, "1,6 millones"), (Rounds, "2,4 TB")]),
        ("Descubierto el 25 de septiembre de 2022.", &[(Contradicts, "25 de septiembre de 2022")]),
        ("Descubierto el 24 de septiembre de 2022.", &[(Agrees, "24 de septiembre de 2022")]),
        ("más de 70.000 organizaciones", &[(Contradicts, "70.000")]),
        ("once clientes fueron los afectados", &[(Contradicts, "once")]),
        ("en 72 horas, el 10 % de los clientes, el artículo 33 del RGPD", &[(CannotTell, "72"), (CannotTell, "10")]),
        ("En 2022 clientes", &[]),
        ("1.204 facturas", &[(Agrees, "1.204")]),
    ]);
}

#[test]
fn japanese() {
    check(&[
        ("65,000の組織の1,648,458件のファイル", &[(Agrees, "65,000"), (Agrees, "1,648,458")]),
        (
            "６５，０００社の１，６４８，４５９件のファイル",
            &[(Agrees, "６５，０００"), (Contradicts, "１，６４８，４５９")],
        ),
        (
            "6.5万社、約165万件のファイル、164万8458件のファイル",
            &[(Agrees, "6.5万"), (Rounds, "165万"), (Agrees, "164万8458")],
        ),
        ("六万五千社に影響があり、三千社ではありません。", &[(Agrees, "六万五千"), (Contradicts, "三千")]),
        ("170万件のファイルが露出しました。", &[(Contradicts, "170万")]),
        ("メールアドレスは335,000件、プロジェクト133,001件", &[(Agrees, "335,000"), (Contradicts, "133,001")]),
        ("ユーザー：548,000", &[(Withheld, "548,000")]),
        ("2022年9月25日に発見しました。", &[(Contradicts, "2022年9月25日")]),
        ("令和4年9月24日に検知しました。", &[(Agrees, "令和4年9月24日")]),
        ("72時間以内に、GDPR第33条により、10%の企業", &[(CannotTell, "72"), (CannotTell, "10")]),
        ("2022年に企業が", &[]),
        ("銀行口座番号が含まれます。", &[(Contradicts, "銀行口座番号")]),
        ("銀行口座番号は含まれていません。", &[(CannotTell, "銀行口座番号")]),
        ("請求書1,204件", &[(Agrees, "1,204")]),
        ("2.4 TBのデータ", &[(Rounds, "2.4 TB")]),
        ("組織は約6万5千です", &[(Agrees, "6万5千")]),
    ]);
}
