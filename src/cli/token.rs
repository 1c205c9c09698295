//! `moisson token`

use super::{Outcome, StoreArguments, runtime};
use crate::config::Config;
use crate::harvest::Workplace;
use crate::jobs::Tokens;
use crate::operations::{Role, TokenRow};
use anyhow::bail;
use clap::{Args, Subcommand};
use jiff::Timestamp;

#[derive(Debug, Subcommand)]
pub(crate) enum Action {
    /// Make a token; it is shown once
    Create(CreateArguments),
    /// List the tokens, without their secrets
    List {
        #[command(flatten)]
        store: StoreArguments,
    },
    /// End a token: it opens nothing from now on
    Revoke {
        /// The token's identifier, as `list` shows it
        id: String,
        #[command(flatten)]
        store: StoreArguments,
    },
}

#[derive(Debug, Args)]
#[group(required = true, multiple = false, args = ["admin", "organization"])]
pub(crate) struct CreateArguments {
    /// What it is for
    name: String,
    /// It may do everything
    #[arg(long)]
    admin: bool,
    /// It may change the sources of this organisation
    #[arg(long)]
    organization: Option<String>,
    #[command(flatten)]
    store: StoreArguments,
}

pub(crate) fn run(action: &Action, config: &Config) -> anyhow::Result<Outcome> {
    let store = match action {
        Action::Create(arguments) => &arguments.store,
        Action::List { store } | Action::Revoke { store, .. } => store,
    };
    let runtime = runtime()?;
    let workplace = Workplace::new(store.folder(config), super::serve::pace(config));
    let operations = workplace.operations(runtime.handle())?;
    let now = Timestamp::now();
    match action {
        Action::Create(arguments) => {
            let role = arguments.organization.clone().map_or(Role::Administrator, Role::Organization);
            let tokens = Tokens { operations: &operations };
            let (token, _) = runtime.block_on(tokens.create(&arguments.name, role, now))?;
            eprintln!("moisson: keep this token; it is not shown again");
            println!("{token}");
        }
        Action::List { .. } => {
            for token in runtime.block_on(operations.tokens())? {
                println!("{}", line(&token));
            }
        }
        Action::Revoke { id, .. } => {
            if !runtime.block_on(operations.revoke_token(id, &now.to_string()))? {
                bail!("no token that opens anything is called {id:?}");
            }
        }
    }
    Ok(Outcome::Done)
}

fn line(token: &TokenRow) -> String {
    let role = match &token.role {
        Role::Administrator => "admin".to_owned(),
        Role::Organization(organization) => format!("organization {organization}"),
    };
    let used = token.last_used_at.as_deref().unwrap_or("never");
    let revoked = token.revoked_at.as_ref().map_or(String::new(), |at| format!("  revoked {at}"));
    format!("{}  {}  {role}  made {}  used {used}{revoked}", token.id, token.name, token.created_at)
}
