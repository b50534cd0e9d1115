//! The world: everything the sandbox knows, shared by all routers.

use jiff::Timestamp;

use crate::Options;
use crate::bc::Bc;
use crate::brex::Brex;
use crate::clock::Clock;
use crate::company::Company;
use crate::entra::Entra;
use crate::fault::Faults;
use crate::ids::Ids;
use crate::meter::{Meter, Side};

/// Both systems, the login, and the means to disturb them. Each side locks its own state.
pub struct World {
    /// What everyone takes for the present moment.
    pub clock: Clock,
    /// Ids of things that come into being while it runs.
    pub ids: Ids,
    /// What goes wrong next.
    pub faults: Faults,
    /// What was asked so far.
    pub meter: Meter,
    /// The company as it was at the start; BC's own tables move on from there.
    pub company: Company,
    /// The Brex side.
    pub brex: Brex,
    /// The Business Central side.
    pub bc: Bc,
    /// The login for Business Central.
    pub entra: Entra,
    /// How it was started.
    pub options: Options,
}

impl World {
    /// A world at its beginning. The same options (with a start) give the same world.
    pub fn new(options: Options) -> Self {
        let clock = options.start.map_or_else(Clock::running, Clock::frozen);
        let ids = Ids::new(options.seed);
        let company = Company::new(&ids, options.vendors, clock.today());
        let now: Timestamp = clock.now();
        Self {
            brex: Brex::new(&options, &company, &ids.stream("brex"), now),
            bc: Bc::new(&options, &company, &ids.stream("bc"), now),
            entra: Entra::new(&ids.stream("entra")),
            ids: ids.stream("world"),
            faults: Faults::default(),
            meter: Meter::default(),
            clock,
            company,
            options,
        }
    }

    /// Takes back the tokens of a side: its next request is answered 401.
    pub fn revoke_tokens(&self, side: Side) {
        match side {
            Side::Brex => self.brex.revoke_token(),
            Side::Entra | Side::Bc => self.entra.revoke_tokens(),
        }
    }
}
