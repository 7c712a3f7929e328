//! The story of `wheels`: a Plan walked through the stages.
