//! The vendors written by hand: the kinds of suppliers a small company has, and the look-alikes that make matching hard.

/// Name, city, state, country, currency.
pub(super) type Row = (&'static str, &'static str, &'static str, &'static str, &'static str);

/// Blocked for everything.
pub(super) const BLOCKED_ALL: &[&str] = &["Granite Peak Logistics, LLC", "Old Mill Office Supply"];
/// Blocked for payments only.
pub(super) const BLOCKED_PAYMENT: &[&str] = &["Quillen & Rowe LLP"];

/// In the order of their numbers, from `V00001` on.
pub(super) const VENDORS: &[Row] = &[
    ("Amazon Web Services, Inc.", "Seattle", "WA", "US", ""),
    ("Microsoft Corporation", "Redmond", "WA", "US", ""),
    ("Delta Air Lines, Inc.", "Atlanta", "GA", "US", ""),
    ("United Airlines, Inc.", "Chicago", "IL", "US", ""),
    ("Uber Technologies, Inc.", "San Francisco", "CA", "US", ""),
    ("Staples, Inc.", "Framingham", "MA", "US", ""),
    ("FedEx Corporation", "Memphis", "TN", "US", ""),
    ("United Parcel Service, Inc.", "Atlanta", "GA", "US", ""),
    ("Marriott International, Inc.", "Bethesda", "MD", "US", ""),
    ("Hilton Worldwide Holdings Inc.", "McLean", "VA", "US", ""),
    ("The Home Depot, Inc.", "Atlanta", "GA", "US", ""),
    ("Google LLC", "Mountain View", "CA", "US", ""),
    ("Slack Technologies, LLC", "San Francisco", "CA", "US", ""),
    ("Zoom Communications, Inc.", "San Jose", "CA", "US", ""),
    ("Atlassian Pty Ltd", "Sydney", "NSW", "AU", ""),
    ("GitHub, Inc.", "San Francisco", "CA", "US", ""),
    ("Adobe Inc.", "San Jose", "CA", "US", ""),
    ("LinkedIn Corporation", "Sunnyvale", "CA", "US", ""),
    ("Meta Platforms, Inc.", "Menlo Park", "CA", "US", ""),
    ("DoorDash, Inc.", "San Francisco", "CA", "US", ""),
    ("Panera Bread Company", "St. Louis", "MO", "US", ""),
    ("Starbucks Corporation", "Seattle", "WA", "US", ""),
    ("Verizon Communications Inc.", "New York", "NY", "US", ""),
    ("Georgia Power Company", "Atlanta", "GA", "US", ""),
    ("Hertz Global Holdings, Inc.", "Estero", "FL", "US", ""),
    ("Shell Oil Company", "Houston", "TX", "US", ""),
    ("Grainger, Inc.", "Lake Forest", "IL", "US", ""),
    ("Uline, Inc.", "Pleasant Prairie", "WI", "US", ""),
    ("Best Buy Co., Inc.", "Richfield", "MN", "US", ""),
    ("Dell Technologies Inc.", "Round Rock", "TX", "US", ""),
    ("Fabrikam, Inc.", "Atlanta", "GA", "US", ""),
    ("First Up Consultants", "Chicago", "IL", "US", ""),
    ("Graphic Design Institute", "Miami", "FL", "US", ""),
    ("Wide World Importers", "Dallas", "TX", "US", ""),
    ("Nod Publishers", "Boston", "MA", "US", ""),
    ("Bright Harbor Advertising, LLC", "Portland", "OR", "US", ""),
    ("Riverside Catering", "Atlanta", "GA", "US", ""),
    ("Riverside Catering", "Riverside", "CA", "US", ""),
    ("Harbor Light Studios LLC", "Boston", "MA", "US", ""),
    ("Harbor Light Studios, Inc.", "Portland", "ME", "US", ""),
    ("Northgate Printing", "Columbus", "OH", "US", ""),
    ("NORTHGATE PRINTING", "Dublin", "OH", "US", ""),
    ("Granite Peak Logistics, LLC", "Denver", "CO", "US", ""),
    ("Old Mill Office Supply", "Nashville", "TN", "US", ""),
    ("Quillen & Rowe LLP", "New York", "NY", "US", ""),
    ("Pemberton Audit Partners LLP", "Charlotte", "NC", "US", ""),
    ("Lakeside Legal Group, P.C.", "Chicago", "IL", "US", ""),
    ("Summit Ridge Consulting Group", "Boulder", "CO", "US", ""),
    ("O'Malley's Hardware", "Albany", "NY", "US", ""),
    ("Café Lumière", "New Orleans", "LA", "US", ""),
    ("Müller Bürobedarf GmbH", "München", "", "DE", "EUR"),
    ("Deutsche Messe AG", "Hannover", "", "DE", "EUR"),
    ("SNCF Voyageurs SA", "Saint-Denis", "", "FR", "EUR"),
    ("British Airways Plc", "Harmondsworth", "", "GB", "GBP"),
    ("Thistle & Thorn Ltd", "Edinburgh", "", "GB", "GBP"),
    ("Sakura Trading K.K.", "Tokyo", "", "JP", "JPY"),
    ("Maple Leaf Freight Ltd.", "Toronto", "ON", "CA", ""),
    ("Peachtree Parking Services", "Atlanta", "GA", "US", ""),
    ("Evergreen Facility Care", "Marietta", "GA", "US", ""),
    ("Blue Lantern Software Co.", "Austin", "TX", "US", ""),
    ("Copper Kettle Coffee Roasters", "Asheville", "NC", "US", ""),
    ("Pinnacle Insurance Agency", "Hartford", "CT", "US", ""),
    ("Swift River Couriers", "Savannah", "GA", "US", ""),
    ("Talent Bridge Recruiting, Inc.", "Raleigh", "NC", "US", ""),
];

/// First words of generated names.
pub(super) const FIRST: &[&str] = &[
    "Amber", "Anchor", "Arrow", "Aspen", "Atlas", "Autumn", "Beacon", "Birch", "Blackstone", "Bluebird", "Boulder",
    "Bridgeport", "Bristol", "Canyon", "Cardinal", "Cascade", "Cedar", "Charter", "Clearwater", "Cobalt", "Compass",
    "Coral", "Crescent", "Crown", "Crystal", "Delta", "Eagle", "Eastgate", "Elm", "Emerald", "Falcon", "Fairview",
    "Foxglove", "Frontier", "Glacier", "Golden", "Granite", "Greenfield", "Hawthorne", "Heritage", "Highland",
    "Hillcrest", "Horizon", "Imperial", "Ironwood", "Ivory", "Juniper", "Keystone", "Kingfisher", "Lakeview", "Laurel",
    "Liberty", "Lighthouse", "Magnolia", "Maple", "Meridian", "Midland", "Monarch", "Northstar", "Oakwood", "Olympic",
    "Orchard", "Pacific", "Palmetto", "Pioneer", "Prairie", "Quarry", "Redwood", "Ridgeline", "Rosewood", "Sagebrush",
    "Sequoia", "Silver", "Sterling", "Stonebridge", "Summit", "Sunrise", "Tamarack", "Timber", "Trinity", "Valley",
    "Vanguard", "Westbrook", "Whitewater", "Willow", "Windmill", "Woodland", "Yellowstone", "Zenith",
];

/// Trades of generated names.
pub(super) const TRADE: &[&str] = &[
    "Analytics", "Architects", "Auto Parts", "Bakery", "Building Supply", "Catering", "Chemicals", "Cleaning",
    "Construction", "Consulting", "Couriers", "Dental", "Design", "Electric", "Energy", "Engineering", "Equipment",
    "Events", "Farms", "Flooring", "Foods", "Freight", "Furniture", "Glass", "Graphics", "Hardware", "Heating",
    "Hospitality", "Imaging", "Industrial", "Insurance", "Labs", "Landscaping", "Lighting", "Logistics", "Machinery",
    "Marketing", "Media", "Medical", "Metals", "Networks", "Office Products", "Outfitters", "Packaging", "Paper",
    "Plumbing", "Press", "Properties", "Rentals", "Safety", "Security", "Signs", "Software", "Staffing", "Steel",
    "Storage", "Systems", "Textiles", "Tools", "Training", "Transport", "Travel", "Uniforms", "Vending", "Welding",
];

/// Endings of generated names.
pub(super) const FORM: &[&str] = &[
    ", Inc.", " LLC", "", " Co.", " Corporation", ", LLC", " Group", " Partners", " & Sons", " Ltd.", " of Georgia",
    " Services", " International", " USA, Inc.", " Holdings",
];

/// Cities with their states.
pub(super) const CITIES: &[(&str, &str)] = &[
    ("Atlanta", "GA"), ("Austin", "TX"), ("Baltimore", "MD"), ("Birmingham", "AL"), ("Boise", "ID"), ("Boston", "MA"),
    ("Buffalo", "NY"), ("Charleston", "SC"), ("Chicago", "IL"), ("Cincinnati", "OH"), ("Cleveland", "OH"),
    ("Columbus", "OH"), ("Dallas", "TX"), ("Denver", "CO"), ("Detroit", "MI"), ("Fresno", "CA"), ("Houston", "TX"),
    ("Indianapolis", "IN"), ("Kansas City", "MO"), ("Knoxville", "TN"), ("Las Vegas", "NV"), ("Louisville", "KY"),
    ("Madison", "WI"), ("Memphis", "TN"), ("Miami", "FL"), ("Milwaukee", "WI"), ("Minneapolis", "MN"),
    ("Omaha", "NE"), ("Orlando", "FL"), ("Phoenix", "AZ"), ("Pittsburgh", "PA"), ("Raleigh", "NC"),
    ("Richmond", "VA"), ("Sacramento", "CA"), ("Salt Lake City", "UT"), ("San Diego", "CA"), ("Seattle", "WA"),
    ("Spokane", "WA"), ("Tampa", "FL"), ("Tulsa", "OK"),
];
