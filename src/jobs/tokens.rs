//! Tokens: made once, shown once, kept as a hash.
//!
//! A token is `moisson_ID_SECRET`: the identifier finds its row, the secret is compared with the hash.

use crate::operations::{Operations, OperationsError, Role, TokenRow};
use argon2::password_hash::phc::PasswordHash;
use argon2::{Argon2, PasswordHasher, PasswordVerifier};
use jiff::Timestamp;
use ring::rand::{SecureRandom, SystemRandom};

/// Why a token opens nothing.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    /// It is none of ours, was revoked, or its secret is another.
    #[error("the token is not valid")]
    Invalid,
    /// Nothing random is to be had, or nothing can be hashed.
    #[error("no token can be made: {0}")]
    Making(String),
    /// The operations database failed.
    #[error(transparent)]
    Operations(#[from] OperationsError),
}

static COMPARED_AT_ONCE: tokio::sync::Semaphore = tokio::sync::Semaphore::const_new(4);

/// The tokens of a store.
pub struct Tokens<'t> {
    /// The operations database.
    pub operations: &'t Operations,
}

impl Tokens<'_> {
    /// Makes a token. It is given back this once: only its hash is kept.
    ///
    /// # Errors
    /// When it cannot be made or kept.
    pub async fn create(&self, name: &str, role: Role, now: Timestamp) -> Result<(String, TokenRow), TokenError> {
        let (id, secret) = (random(6)?, random(24)?);
        let hash = Argon2::default().hash_password(secret.as_bytes());
        let hash = hash.map_err(|error| TokenError::Making(error.to_string()))?.to_string();
        let row = TokenRow {
            id: id.clone(),
            name: name.to_owned(),
            hash,
            role,
            created_at: now.to_string(),
            last_used_at: None,
            revoked_at: None,
        };
        self.operations.keep_token(&row).await?;
        Ok((format!("moisson_{id}_{secret}"), row))
    }

    /// Whose token it is. The comparison takes as long for a wrong secret as for a right one, and as long for a
    /// token that does not exist.
    ///
    /// # Errors
    /// When it is not valid, or the operations database fails.
    pub async fn check(&self, token: &str, now: Timestamp) -> Result<TokenRow, TokenError> {
        let (id, secret) = parts(token).ok_or(TokenError::Invalid)?;
        let row = self.operations.token(id).await?.filter(|row| row.revoked_at.is_none());
        let hash = row.as_ref().map_or(NOBODY.to_owned(), |row| row.hash.clone());
        let secret = secret.to_owned();
        // Each comparison takes memory and a thread: some at a time, whoever asks.
        let _place = COMPARED_AT_ONCE.acquire().await;
        // Hashing is slow by design: not on a thread that serves others.
        let is_right = tokio::task::spawn_blocking(move || verify(&secret, &hash)).await.unwrap_or(false);
        let row = row.filter(|_| is_right).ok_or(TokenError::Invalid)?;
        let minute = now.to_string().get(..16).map(|minute| format!("{minute}:00Z")).unwrap_or_default();
        if row.last_used_at.as_deref() != Some(&minute) {
            self.operations.note_use(&row.id, &minute).await?;
        }
        Ok(row)
    }
}

/// The hash of nothing that anybody knows.
const NOBODY: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$bW9pc3Nvbi1ub2JvZHk$8vRaP6QbE2zXlZLxd8lZ6HqkU8yVJc3y0mN1o5tqKeM";

fn verify(secret: &str, hash: &str) -> bool {
    PasswordHash::new(hash).is_ok_and(|hash| Argon2::default().verify_password(secret.as_bytes(), &hash).is_ok())
}

fn parts(token: &str) -> Option<(&str, &str)> {
    token.strip_prefix("moisson_")?.split_once('_')
}

/// Random bytes in hexadecimal.
fn random(bytes: usize) -> Result<String, TokenError> {
    let mut random = vec![0; bytes];
    let filled = SystemRandom::new().fill(&mut random);
    filled.map_err(|_| TokenError::Making("the system has no randomness".to_owned()))?;
    Ok(crate::catalog::hex(&random))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_token_opens_until_it_is_revoked_and_its_secret_is_not_kept() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("operations.sqlite");
        let operations = Operations::open(&path).await.unwrap();
        let tokens = Tokens { operations: &operations };
        let now: Timestamp = "2026-01-01T10:20:30Z".parse().unwrap();
        let (token, row) = tokens.create("ci", Role::Organization("ville".to_owned()), now).await.unwrap();
        let known = tokens.check(&token, now).await.unwrap();
        assert_eq!((known.id.as_str(), &known.role), (row.id.as_str(), &row.role));
        assert_eq!(
            operations.token(&row.id).await.unwrap().unwrap().last_used_at.as_deref(),
            Some("2026-01-01T10:20:00Z")
        );
        for wrong in ["", "moisson_", "moisson_ab_cd", &format!("{token}0"), &token.replace("moisson_", "")] {
            assert!(matches!(tokens.check(wrong, now).await, Err(TokenError::Invalid)), "{wrong}");
        }
        let secret = token.rsplit('_').next().unwrap();
        for entry in std::fs::read_dir(folder.path()).unwrap() {
            let bytes = std::fs::read(entry.unwrap().path()).unwrap();
            assert!(!bytes.windows(secret.len()).any(|window| window == secret.as_bytes()));
        }
        assert!(operations.revoke_token(&row.id, "2026-01-02T00:00:00Z").await.unwrap());
        assert!(matches!(tokens.check(&token, now).await, Err(TokenError::Invalid)));
    }

    #[test]
    fn nobodys_hash_is_a_hash_that_takes_the_same_work() {
        let hash = PasswordHash::new(NOBODY).unwrap();
        assert_eq!(hash.algorithm.as_str(), "argon2id");
        assert!(!verify("anything", NOBODY));
    }
}
