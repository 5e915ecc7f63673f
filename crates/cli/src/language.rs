//! The language in which a command tells.

use upline_lab::render::Language;

/// Which language.
#[derive(clap::Args)]
pub(crate) struct Lang {
    /// The language of what is told: en, zh
    #[arg(long, default_value = "en", value_name = "TAG")]
    lang: Language,
}

impl Lang {
    pub(crate) fn get(&self) -> Language {
        self.lang
    }

    /// The text in this language.
    pub(crate) fn pick<T>(&self, english: T, chinese: T) -> T {
        pick(self.lang, english, chinese)
    }
}

/// The text in a language.
pub(crate) fn pick<T>(language: Language, english: T, chinese: T) -> T {
    match language {
        Language::English => english,
        Language::Chinese => chinese,
    }
}
