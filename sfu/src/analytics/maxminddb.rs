//! In which country an address is, by a database that whoever runs the server provides. Addresses are looked up and forgotten.

use crate::audience::Region;
use maxminddb::{MaxMindDbError, PathElement, Reader};
use std::{
    fmt,
    net::{IpAddr, Ipv4Addr},
    path::{Path, PathBuf},
};

/// Countries by address; all unknown without a database.
#[derive(Default)]
pub struct Regions(Option<Reader<Vec<u8>>>);

impl fmt::Debug for Regions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Regions")
    }
}

/// The GeoIP database can't be used.
#[derive(Debug, thiserror::Error)]
#[error(
    "the GeoIP database {path} can't be used: {source}. Give another MaxMind DB file (.mmdb) with WEIR_GEOIP_DATABASE, or none"
)]
pub struct RegionsError {
    path: PathBuf,
    source: MaxMindDbError,
}

/// Where a database of countries or cities has the country's code; where the first isn't known, the second often is.
const PATHS: [&[PathElement<'_>]; 2] = [
    &[PathElement::Key("country"), PathElement::Key("iso_code")],
    &[PathElement::Key("registered_country"), PathElement::Key("iso_code")],
];

/// Addresses whose entries are read when the file is opened: one that is broken within is found out at the start.
const TRIALS: [IpAddr; 4] = [
    IpAddr::V4(Ipv4Addr::new(1, 1, 1, 1)),
    IpAddr::V4(Ipv4Addr::new(81, 2, 69, 142)),
    IpAddr::V4(Ipv4Addr::new(128, 101, 101, 101)),
    IpAddr::V4(Ipv4Addr::new(202, 196, 224, 1)),
];

impl Regions {
    /// Reads a MaxMind DB file (`.mmdb`) of countries or cities, and tries it.
    pub fn open(path: &Path) -> Result<Self, RegionsError> {
        let refused = |source| RegionsError { path: path.to_owned(), source };
        let reader = Reader::open_readfile(path).map_err(refused)?;
        for address in TRIALS {
            let found = reader.lookup(address).map_err(refused)?;
            for path in PATHS {
                found.decode_path::<&str>(path).map_err(refused)?;
            }
        }
        Ok(Self(Some(reader)))
    }

    /// The country of an address.
    pub fn of(&self, address: IpAddr) -> Region {
        let Some(reader) = &self.0 else { return Region::default() };
        let Ok(found) = reader.lookup(address.to_canonical()) else { return Region::default() };
        let code = |path: &[PathElement<'_>]| found.decode_path::<&str>(path).ok().flatten();
        PATHS.iter().find_map(|path| code(path)).map_or_else(Region::default, Region::of)
    }
}
