//! Rules that a site brings along: `_redirects` and `_headers`, in the format that Netlify and Cloudflare
//! Pages share. Bytes in, values out: knows no files and no connection.
//!
//! ```text
//!  _redirects ─parse─► redirects ──► pattern ─captures─► destination ──► a location, or another path
//!                        │  index, parameters            template
//!  _headers   ─parse─► headers ────► pattern ─captures─► template ─────► fields to set and to remove
//! ```
//!
//! [`redirects`] and [`headers`] are the two formats. Both hold a [`pattern`] against the [`path`] of a
//! request, but only where the [`index`] says that it may match, so that thousands of rules cost
//! microseconds. What it [`captures`] goes into a [`template`]; the one that a redirect leads to is a
//! [`destination`]. [`parameters`] are what a rule wants of the query, [`fields`] what blocks make of a
//! response; [`text`] is lines, read in steps, and complaints. What all rules of a file are made of is in one
//! [`store`].
//!
//! Whatever is in a file and in a request, a look-up costs what it takes to read the rules that may match: a
//! millisecond at most. What could cost more has a bound: circles, what is filled in, and what one response
//! gets.
//!
//! A line that would not be followed as it stands is left out, and a [`Complaint`] says why: a rule that is
//! half understood would do something else than was meant, and nobody would be told.
//!
//! # Where the two hosts differ
//!
//! What serves the files of both is taken; else what does less harm where it was not meant.
//!
//! - **No status** is 301 for Netlify and 302 for Cloudflare. Here it is 302: visitors get where they should
//!   either way, but browsers keep a 301 for good, so it must be asked for.
//! - **A file at the path** comes first for Netlify, unless the rule has a `!`; for Cloudflare the rule comes
//!   first. Here as for Netlify: only there can a rule say both, and `/* /index.html 200` needs files first.
//! - **Status 404, `!` and parameters** are Netlify's only, **308 and a `*` in the middle** of a redirect's
//!   path Cloudflare's only. All are followed here. As for Netlify, a rule with parameters wants these and no
//!   others.
//! - **A slash at the end** makes no difference for Netlify and one for Cloudflare. Here it makes one where
//!   there are rules for both spellings, see [`index`]. So does `/docs/*` take `/docs` along, as for Netlify.
//! - **A redirect to the very URL** that was asked for goes in circles for Cloudflare. Here it does not
//!   match, so that `/trailing /trailing/` and `/* /:splat/` do what they should.
//! - **`:name` behind other characters** of a segment is a placeholder for Cloudflare only. Here it is text,
//!   as in `/wiki/Help:Contents`. A suffix behind a dot, `/:post.html`, is Cloudflare's and followed.
//! - **The query of a request** is passed on by both; by Cloudflare, and here, only if the destination has
//!   none of its own.
//! - **A field set by several blocks** is joined by Cloudflare, and here, except where a list of values would
//!   be none: then the last one counts. `! Name`, and values in fields, are Cloudflare's and followed.
//! - **A comment behind a rule** is Netlify's and followed in `_redirects`. In `_headers` a `#` may be a part
//!   of the value.
//! - **Rules for one host, for a country, language, role or cookie, and proxying** are complained about: one
//!   folder is served, the same to all, and nothing is fetched.

pub mod captures;
pub mod destination;
pub mod fields;
pub mod headers;
pub mod index;
pub mod parameters;
pub mod path;
pub mod pattern;
pub mod redirects;
pub mod store;
pub mod template;
pub mod text;

pub use headers::Headers;
pub use redirects::Redirects;
pub use text::Complaint;
