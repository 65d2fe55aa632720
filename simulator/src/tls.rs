//! HTTPS with a certificate for localhost, made anew at each start; refused where the build has
//! none.

#[cfg(feature = "tls")]
mod certified;
#[cfg(not(feature = "tls"))]
mod missing;

#[cfg(feature = "tls")]
pub(crate) use certified::Tls;
#[cfg(not(feature = "tls"))]
pub(crate) use missing::Tls;
