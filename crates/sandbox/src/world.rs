//! The world: everything the sandbox knows, shared by all routers.

use std::sync::Arc;

use jiff::Timestamp;

use crate::bc::Bc;
use crate::brex::Brex;
use crate::clock::Clock;
use crate::company::Company;
use crate::entra::Entra;
use crate::fault::Faults;
use crate::ids::Ids;
use crate::late::{HeldRequest, Late};
use crate::meter::{Meter, Side};
use crate::receiver::Receivers;
use crate::{Error, Options, state};

/// Both systems, the login, and the means to disturb them. Each side locks its own state.
pub struct World {
    /// What everyone takes for the present moment.
    pub clock: Clock,
    /// Ids of things that come into being while it runs.
    pub ids: Ids,
    /// What goes wrong next.
    pub faults: Arc<Faults>,
    /// Who listens on the control port.
    pub receivers: Receivers,
    /// Requests that take effect later.
    pub(crate) late: Late,
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
        let company = match &options.company {
            Some(company) => Company::clone(company),
            None => Company::new(&ids, options.vendors, clock.today()),
        };
        let now: Timestamp = clock.now();
        let faults = Arc::<Faults>::default();
        let brex = Brex::new(&options, &company, &ids.stream("brex"), now);
        Self {
            brex: brex.with_faults(Arc::clone(&faults)),
            bc: Bc::new(&options, &company, &ids.stream("bc"), now).with_faults(Arc::clone(&faults)),
            entra: Entra::new(&ids.stream("entra")),
            ids: ids.stream("world"),
            faults,
            receivers: Receivers::default(),
            late: Late::default(),
            meter: Meter::default(),
            clock,
            company,
            options,
        }
    }

    /// A world with its weather, and with the state of its state file if there is one. To be called within a Tokio
    /// runtime, where requests that take effect later are carried out.
    pub fn open(options: Options) -> Result<Arc<Self>, Error> {
        let weather = options.weather.clone();
        let world = Arc::new(Self::new(options));
        state::load(&world)?;
        if weather.is_some() {
            world.faults.set_weather(weather).map_err(Error::Weather)?;
        }
        Ok(world)
    }

    /// Saves the state file now, if one is set. Says whether one is.
    pub fn save(&self) -> Result<bool, Error> {
        state::save(self)
    }

    /// Requests that were answered before they took effect and have not yet.
    pub fn held_requests(&self) -> Vec<HeldRequest> {
        self.late.held()
    }

    /// Takes back the tokens of a side: its next request is answered 401.
    pub fn revoke_tokens(&self, side: Side) {
        match side {
            Side::Brex => self.brex.revoke_token(),
            Side::Entra | Side::Bc => self.entra.revoke_tokens(),
        }
    }
}
