//! Papers as an office would have them, for the tests.

use gapura::paper::*;

/// 26 November 2026, 10.15 WIB.
pub(crate) const ISSUED: i64 = 1_795_662_900_000;
/// A minute.
const MINUTE: i64 = 60_000;

/// A paper with this content.
pub(crate) fn paper(content: Content) -> Paper {
    let mut paper = Paper {
        version: VERSION,
        size: PageSize::A4,
        letterhead: Letterhead {
            government: "Pemerintah Kabupaten Cirebon".into(),
            office: "Dinas Komunikasi dan Informatika".into(),
            address: "Jln. Sunan Drajat No. 15, Sumber".into(),
            telephone: "(0231) 8330580".into(),
            email: "diskominfo@cirebonkab.go.id".into(),
            website: String::new(),
            place: "Sumber".into(),
        },
        seal: Seal {
            number: String::new(),
            office_number: String::new(),
            code: "K7QM-3TXA-9PZD-W2HC".into(),
            url: "https://antrean.cirebonkab.go.id/periksa-naskah/K7QM3TXA9PZDW2HC".into(),
            chain_sequence: 1842,
            chain_head: "9f2c41d07be3a615".into(),
            issued_ms: ISSUED,
            supersedes: None,
        },
        content,
    };
    paper.seal.number = format!("GPR/{}/0042/XI/2026", paper.kind().code());
    paper
}

/// One paper of each kind.
pub(crate) fn all() -> Vec<Paper> {
    vec![
        paper(Content::Receipt(receipt())),
        paper(Content::Disposition(disposition())),
        paper(Content::Verification(verification())),
        paper(Content::Report(report())),
        paper(Content::Notification(notification())),
        paper(Content::Activity(activity())),
    ]
}

/// The kasi.
pub(crate) fn verifier() -> Signer {
    Signer {
        title: "Kepala Seksi Aplikasi, Keamanan dan Persandian".into(),
        acting: None,
        name: Some("Siti Nurjanah, S.Kom., M.T.".into()),
        rank: Some("Penata Tingkat I (III/d)".into()),
        nip: Some("19820714 200901 2 003".into()),
    }
}

/// The kabid.
pub(crate) fn head() -> Signer {
    Signer {
        title: "Kepala Bidang Statistik, Persandian dan E-Government".into(),
        acting: None,
        name: Some("Drs. H. Ahmad Fauzi, M.Si.".into()),
        rank: Some("Pembina (IV/a)".into()),
        nip: Some("19710302 199703 1 005".into()),
    }
}

/// The letter that came.
fn letter() -> LetterRef {
    LetterRef { number: "140/087/Ds-2026".into(), date: "2026-11-23".into() }
}

/// A step of the SOP.
fn step(step: &str, holder: &str, limit: u64, used: Option<u64>, due: Option<i64>) -> StepTime {
    StepTime {
        step: step.into(),
        holder: holder.into(),
        limit_minutes: Some(limit),
        used_minutes: used,
        due_ms: due,
    }
}

/// *Tanda terima permohonan.*
pub(crate) fn receipt() -> Receipt {
    let kabid = "Kepala Bidang SP E-Government";
    let kasi = "Kasi Aplikasi, Keamanan dan Persandian";
    Receipt {
        request: "GPR-2026-0042".into(),
        received_ms: ISSUED - 70 * MINUTE,
        office: "Pemerintah Desa Grogol, Kecamatan Kapetakan".into(),
        person: Some("Dewi Kartika".into()),
        name: "grogol-kapetakan.desa.cirebonkab.go.id".into(),
        kind: "Permohonan baru".into(),
        class: "Desa".into(),
        letter: letter(),
        handed_in: vec![
            "Surat permohonan bertanda tangan Kepala Desa (PDF, 1 halaman)".into(),
            "Data nama dan alamat peladen situs".into(),
        ],
        steps: vec![
            step("Disposisi", kabid, 15, None, Some(ISSUED + 15 * MINUTE)),
            step("Verifikasi nama dan data", kasi, 480, None, None),
            step("Pembuatan subdomain dan laporan", kasi, 480, None, None),
            step("Pemberitahuan kepada pemohon", "Bidang SP E-Government", 15, None, None),
        ],
        contact: vec![
            "Bidang Statistik, Persandian dan E-Government, telepon (0231) 8330580, Senin sampai Jumat pukul \
             07.30–15.30 WIB."
                .into(),
        ],
        status_url: "https://antrean.cirebonkab.go.id/status".into(),
        secret: None,
    }
}

/// *Lembar disposisi.*
pub(crate) fn disposition() -> Disposition {
    Disposition {
        from: "Pemerintah Desa Grogol, Kecamatan Kapetakan".into(),
        letter: letter(),
        received_ms: ISSUED - 70 * MINUTE,
        agenda: "GPR-2026-0042".into(),
        nature: vec![Nature::Urgent],
        subject: "Permohonan subdomain grogol-kapetakan.desa.cirebonkab.go.id".into(),
        forwarded_to: vec![
            "Kepala Seksi Aplikasi, Keamanan dan Persandian (Siti Nurjanah, S.Kom., M.T.)".into(),
        ],
        asks: vec![Ask::Process],
        instruction: Some(
            "Mohon diperiksa kesesuaian nama dengan desa lain yang bernama sama, lalu diproses sesuai SOP."
                .into(),
        ),
        routing: step("Disposisi", "Kepala Bidang", 15, Some(6), None),
        next: step("Verifikasi nama dan data", "Kasi", 480, None, Some(ISSUED + 1440 * MINUTE)),
        signer: head(),
    }
}

/// *Lembar verifikasi.*
pub(crate) fn verification() -> Verification {
    let line = |code: &str, what: &str, verdict: &str, note: &str, who: &str| CheckedLine {
        code: code.into(),
        what: what.into(),
        verdict: verdict.into(),
        note: note.into(),
        who: who.into(),
        at_ms: Some(ISSUED - 5 * MINUTE),
    };
    let kasi = "Siti Nurjanah";
    Verification {
        request: "GPR-2026-0042".into(),
        revision: 2,
        office: "Pemerintah Desa Grogol, Kecamatan Kapetakan".into(),
        name: "grogol-kapetakan.desa.cirebonkab.go.id".into(),
        kind: "Permohonan baru".into(),
        lines: vec![
            line("A1", "Bentuk nama menurut kaidah DNS", "Sesuai", "", "Sistem"),
            line("A2", "Nama belum dipakai dan tidak dicadangkan", "Sesuai", "", "Sistem"),
            line(
                "A4",
                "Kemiripan dengan nama lain",
                "Ditampilkan",
                "Mirip dengan grogol-gunungjati.desa.cirebonkab.go.id.",
                "Sistem",
            ),
            line(
                "A7",
                "Alamat tujuan berada di Indonesia",
                "Sesuai",
                "103.28.12.40 termasuk 103.28.12.0/22.",
                "Sistem",
            ),
            line(
                "M1",
                "Surat permohonan lengkap, bernomor, bertanggal, dan ditandatangani pejabat yang berwenang",
                "Sesuai",
                "",
                kasi,
            ),
            line(
                "M2",
                "Pemohon berwenang atas nama yang dimohon",
                "Sesuai",
                "Dicocokkan dengan daftar desa Kecamatan Kapetakan.",
                kasi,
            ),
            line("M3", "Nama sesuai ketentuan penamaan kelompok desa", "Sesuai", "", kasi),
            line(
                "M5",
                "Narahubung dapat dihubungi",
                "Sesuai",
                "Ditelepon pukul 09.40, dijawab oleh perangkat desa.",
                kasi,
            ),
        ],
        candidate: Some("5d41c8f0b3a27e6914f0a9d2c7b86e35f1d40ab97c2e8356a0419be7d3f8c61a".into()),
        zone: "cirebonkab.go.id".into(),
        serial: Some(2_026_112_603),
        result: "Seluruh baris telah diperiksa dan permohonan disetujui untuk ditayangkan.".into(),
        signer: verifier(),
        second: None,
    }
}

/// *Laporan ke Kepala Bidang.*
pub(crate) fn report() -> Report {
    let name = "grogol-kapetakan.desa.cirebonkab.go.id";
    Report {
        to: "Kepala Bidang Statistik, Persandian dan E-Government".into(),
        from: "Kepala Seksi Aplikasi, Keamanan dan Persandian".into(),
        copies: vec![],
        nature: "Biasa".into(),
        attachments: "-".into(),
        subject: format!("Laporan pembuatan subdomain {name}"),
        opening: "Menindaklanjuti disposisi Saudara nomor GPR/LD/0042/XI/2026 tanggal 26 November 2026, dengan \
                  hormat kami laporkan bahwa subdomain berikut telah dibuat dan ditayangkan."
            .into(),
        facts: vec![
            Field::new("Nomor permohonan", "GPR-2026-0042"),
            Field::new("Pemohon", "Pemerintah Desa Grogol, Kecamatan Kapetakan"),
            Field::new("Subdomain", name),
        ],
        changes: vec![
            RecordChange { removed: false, name: name.into(), ttl: 3600, rtype: "A".into(), data: "103.28.12.40".into() },
            RecordChange { removed: false, name: name.into(), ttl: 3600, rtype: "AAAA".into(), data: "2001:db8:12::40".into() },
        ],
        zone: "cirebonkab.go.id".into(),
        serial_before: Some(2_026_112_603),
        serial: 2_026_112_604,
        live_ms: ISSUED - MINUTE,
        answers: vec![
            Answer { question: format!("{name} A"), rcode: "NOERROR".into(), answer: "103.28.12.40".into(), at_ms: ISSUED - MINUTE, as_approved: true },
            Answer { question: format!("{name} AAAA"), rcode: "NOERROR".into(), answer: "2001:db8:12::40".into(), at_ms: ISSUED - MINUTE, as_approved: true },
        ],
        steps: vec![
            step("Disposisi", "Kepala Bidang", 15, Some(6), None),
            step("Verifikasi nama dan data", "Kasi", 480, Some(195), None),
            step("Pembuatan subdomain dan laporan", "Kasi", 480, Some(4), None),
        ],
        closing: "Demikian laporan ini kami sampaikan. Atas perhatian Saudara, kami ucapkan terima kasih.".into(),
        signer: verifier(),
    }
}

/// *Surat pemberitahuan.*
pub(crate) fn notification() -> Notification {
    Notification {
        nature: "Biasa".into(),
        attachments: "-".into(),
        subject: "Pemberitahuan hasil permohonan subdomain".into(),
        to: vec!["Kepala Desa Grogol".into(), "Kecamatan Kapetakan".into(), "di Kapetakan".into()],
        opening: "Menindaklanjuti surat Saudara nomor 140/087/Ds-2026 tanggal 23 November 2026 perihal permohonan \
                  subdomain, dengan hormat kami beritahukan bahwa permohonan tersebut disetujui dan subdomain telah \
                  ditayangkan dengan keterangan sebagai berikut."
            .into(),
        facts: vec![
            Field::new("Nomor permohonan", "GPR-2026-0042"),
            Field::new("Subdomain", "grogol-kapetakan.desa.cirebonkab.go.id"),
            Field::new("Tayang sejak", "26 November 2026 pukul 10.14 WIB"),
            Field::new("Alamat tujuan", "103.28.12.40 dan 2001:db8:12::40"),
        ],
        body: vec![
            "Subdomain dapat dipakai sejak saat itu. Di sebagian jaringan perubahan baru terlihat setelah beberapa \
             jam, karena jawaban lama masih disimpan di sana."
                .into(),
        ],
        points: vec![],
        next: vec![
            "Apabila terdapat keberatan, Saudara dapat menyampaikannya secara tertulis kepada Dinas Komunikasi dan \
             Informatika dalam 14 hari kerja sejak surat ini diterima."
                .into(),
        ],
        closing: "Demikian pemberitahuan ini kami sampaikan. Atas perhatian dan kerja sama Saudara, kami ucapkan \
                  terima kasih."
            .into(),
        lookup: vec!["dig grogol-kapetakan.desa.cirebonkab.go.id A".into()],
        signer: head(),
        copies: vec!["Camat Kapetakan".into()],
    }
}

/// *Laporan kegiatan.*
pub(crate) fn activity() -> Activity {
    let bar =
        |label: &str, value: u64| Bar { label: label.into(), value, shown: value.to_string() };
    let row = |cells: &[&str]| cells.iter().map(|cell| (*cell).to_owned()).collect::<Vec<_>>();
    Activity {
        period: "November 2026".into(),
        summary: vec![
            "Selama November 2026 masuk 14 permohonan, 11 di antaranya ditayangkan.".into(),
            "Dua permohonan dikembalikan dan satu ditolak.".into(),
            "Satu tahap melewati batas waktu SOP.".into(),
        ],
        sections: vec![
            Section {
                heading: "Permohonan menurut jenis".into(),
                text: vec![],
                chart: Some(Chart {
                    title: "Banyaknya permohonan".into(),
                    bars: vec![
                        bar("Permohonan baru", 11),
                        bar("Perubahan", 2),
                        bar("Pencabutan", 1),
                        bar("Alih kelola", 0),
                    ],
                }),
                table: Some(Table {
                    title: "Permohonan menurut jenis dan hasil".into(),
                    columns: vec![
                        Column::text("Jenis", 4),
                        Column::number("Masuk", 2),
                        Column::number("Tayang", 2),
                        Column::number("Ditolak", 2),
                    ],
                    rows: vec![
                        row(&["Permohonan baru", "11", "9", "1"]),
                        row(&["Perubahan", "2", "1", "0"]),
                        row(&["Pencabutan", "1", "1", "0"]),
                    ],
                    total: row(&["Jumlah", "14", "11", "1"]),
                }),
            },
            Section {
                heading: "Tahap yang terlambat".into(),
                text: vec![],
                chart: None,
                table: Some(Table {
                    title: "Terlambat menurut pelaksana dan tahap".into(),
                    columns: vec![
                        Column::text("Permohonan", 3),
                        Column::text("Tahap", 3),
                        Column::text("Pelaksana", 4),
                        Column::text("Terlambat", 2),
                    ],
                    rows: vec![row(&[
                        "GPR-2026-0037",
                        "Verifikasi",
                        "Kasi Aplikasi, Keamanan dan Persandian",
                        "2 jam",
                    ])],
                    total: vec![],
                }),
            },
        ],
        signer: head(),
        annex: Some(list(14)),
    }
}

/// A list of requests.
pub(crate) fn list(count: usize) -> Table {
    let row = |at: usize| {
        vec![
            (at + 1).to_string(),
            format!("GPR-2026-{:04}", at + 1),
            format!("desa-{at}.desa.cirebonkab.go.id"),
            format!("Pemerintah Desa Nomor {at}"),
            "Tayang".to_owned(),
        ]
    };
    Table {
        title: "Daftar permohonan".into(),
        columns: vec![
            Column::number("No.", 2),
            Column::text("Nomor", 5),
            Column::text("Subdomain", 9),
            Column::text("Instansi", 8),
            Column::text("Status", 3),
        ],
        rows: (0..count).map(row).collect(),
        total: vec![],
    }
}
