//! Who is on duty. (Replaced as a whole by the schedule that is being built.)

/// Who is on duty.
#[derive(Debug, Clone)]
pub struct Schedule;
