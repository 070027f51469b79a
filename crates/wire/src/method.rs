//! Every call there is, as a closed list: whoever decides something per call matches on it and cannot forget one.

/// The descriptor set of all messages and services, serialized.
pub const DESCRIPTORS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/descriptors.bin"));

/// Defines [`Method`] with the path of each call.
macro_rules! methods {
    ($($(#[$doc:meta])* $name:ident = $path:literal,)*) => {
        /// A call, by service and name.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Method {
            $($(#[$doc])* $name,)*
        }

        impl Method {
            /// All calls.
            pub const ALL: &'static [Method] = &[$(Self::$name,)*];

            /// Its path in gRPC: `/package.Service/Call`.
            pub const fn path(self) -> &'static str {
                match self {
                    $(Self::$name => $path,)*
                }
            }

            /// The call of a path, if there is one.
            pub fn from_path(path: &str) -> Option<Self> {
                match path {
                    $($path => Some(Self::$name),)*
                    _ => None,
                }
            }
        }
    };
}

methods! {
    /// `ResidentService.GetHome`.
    GetHome = "/viridian.resident.v1.ResidentService/GetHome",
    /// `ResidentService.Register`.
    Register = "/viridian.resident.v1.ResidentService/Register",
    /// `ResidentService.DeclareHealth`.
    DeclareHealth = "/viridian.resident.v1.ResidentService/DeclareHealth",
    /// `ResidentService.DeclareTrip`.
    DeclareTrip = "/viridian.resident.v1.ResidentService/DeclareTrip",
    /// `ResidentService.Query`.
    Query = "/viridian.resident.v1.ResidentService/Query",
    /// `ResidentService.RequestUse`.
    RequestUse = "/viridian.resident.v1.ResidentService/RequestUse",
    /// `ResidentService.MakeCode`.
    MakeCode = "/viridian.resident.v1.ResidentService/MakeCode",
    /// `ResidentService.Correct`.
    Correct = "/viridian.resident.v1.ResidentService/Correct",
    /// `ResidentService.RevokePasses`.
    RevokePasses = "/viridian.resident.v1.ResidentService/RevokePasses",
    /// `ResidentService.Leave`.
    Leave = "/viridian.resident.v1.ResidentService/Leave",
    /// `ResidentService.SetProxy`.
    SetProxy = "/viridian.resident.v1.ResidentService/SetProxy",
    /// `SourceService.SubmitEvent`.
    SubmitEvent = "/viridian.source.v1.SourceService/SubmitEvent",
    /// `SourceService.SubmitEvents`.
    SubmitEvents = "/viridian.source.v1.SourceService/SubmitEvents",
    /// `SourceService.StreamEvents`.
    StreamEvents = "/viridian.source.v1.SourceService/StreamEvents",
    /// `TrustService.GetTrustList`.
    GetTrustList = "/viridian.trust.v1.TrustService/GetTrustList",
    /// `TrustService.GetRevocationBatch`.
    GetRevocationBatch = "/viridian.trust.v1.TrustService/GetRevocationBatch",
    /// `FederationService.GetTreeHead`.
    GetTreeHead = "/viridian.federation.v1.FederationService/GetTreeHead",
    /// `FederationService.CosignRegistry`.
    CosignRegistry = "/viridian.federation.v1.FederationService/CosignRegistry",
    /// `FederationService.GetRegistry`.
    GetRegistry = "/viridian.federation.v1.FederationService/GetRegistry",
    /// `FederationService.PublishRegistry`.
    PublishRegistry = "/viridian.federation.v1.FederationService/PublishRegistry",
    /// `FederationService.CosignOnline`.
    CosignOnline = "/viridian.federation.v1.FederationService/CosignOnline",
    /// `FederationService.PublishOnline`.
    PublishOnline = "/viridian.federation.v1.FederationService/PublishOnline",
    /// `FederationService.Contribute`.
    Contribute = "/viridian.federation.v1.FederationService/Contribute",
    /// `FederationService.GetSignedRegistry`.
    GetSignedRegistry = "/viridian.federation.v1.FederationService/GetSignedRegistry",
    /// `FederationService.GetSignedOnline`.
    GetSignedOnline = "/viridian.federation.v1.FederationService/GetSignedOnline",
    /// `ForwardService.GetSealingKey`.
    GetSealingKey = "/viridian.federation.v1.ForwardService/GetSealingKey",
    /// `ForwardService.ForwardEvents`.
    ForwardEvents = "/viridian.federation.v1.ForwardService/ForwardEvents",
    /// `ForwardedService.GetForwarded`.
    GetForwarded = "/viridian.source.v1.ForwardedService/GetForwarded",
    /// `ForwardedService.ConfirmForwarded`.
    ConfirmForwarded = "/viridian.source.v1.ForwardedService/ConfirmForwarded",
    /// `OpeningService.OpenEvent`.
    OpenEvent = "/viridian.source.v1.OpeningService/OpenEvent",
    /// `AppealService.ListAppeals`.
    ListAppeals = "/viridian.source.v1.AppealService/ListAppeals",
    /// `AppealService.ReadAppeal`.
    ReadAppeal = "/viridian.source.v1.AppealService/ReadAppeal",
    /// `AppealService.DecideAppeal`.
    DecideAppeal = "/viridian.source.v1.AppealService/DecideAppeal",
    /// `ProxyOfficeService.NameProxy`.
    NameProxy = "/viridian.source.v1.ProxyOfficeService/NameProxy",
    /// `LogService.AddCheckpoint`.
    AddCheckpoint = "/viridian.federation.v1.LogService/AddCheckpoint",
    /// `AuditService.OpenSample`.
    OpenSample = "/viridian.audit.v1.AuditService/OpenSample",
    /// `AuditService.OpenLeaf`.
    OpenLeaf = "/viridian.audit.v1.AuditService/OpenLeaf",
    /// `LogService.GetLogPart`.
    GetLogPart = "/viridian.federation.v1.LogService/GetLogPart",
    /// `LogService.GetWitnessed`.
    GetWitnessed = "/viridian.federation.v1.LogService/GetWitnessed",
    /// `OperatorService.CloseEpoch`.
    CloseEpoch = "/viridian.operator.v1.OperatorService/CloseEpoch",
    /// `OperatorService.AssembleRegistry`.
    AssembleRegistry = "/viridian.operator.v1.OperatorService/AssembleRegistry",
    /// `OperatorService.GetStatus`.
    GetNodeStatus = "/viridian.operator.v1.OperatorService/GetStatus",
    /// `OperatorService.ListSources`.
    ListSources = "/viridian.operator.v1.OperatorService/ListSources",
    /// `OperatorService.Drain`.
    Drain = "/viridian.operator.v1.OperatorService/Drain",
    /// `OperatorService.AdvanceClock`.
    AdvanceClock = "/viridian.operator.v1.OperatorService/AdvanceClock",
    /// `MaintenanceService.Backup`.
    Backup = "/viridian.maintenance.v1.MaintenanceService/Backup",
    /// `MaintenanceService.Compact`.
    Compact = "/viridian.maintenance.v1.MaintenanceService/Compact",
    /// `MaintenanceService.RenewKeys`.
    RenewKeys = "/viridian.maintenance.v1.MaintenanceService/RenewKeys",
    /// `GateService.NewChallenge`.
    NewChallenge = "/viridian.gate.v1.GateService/NewChallenge",
    /// `GateService.VerifyCode`.
    VerifyCode = "/viridian.gate.v1.GateService/VerifyCode",
    /// `GateService.VerifyCodes`.
    VerifyCodes = "/viridian.gate.v1.GateService/VerifyCodes",
    /// `GateService.GetStatus`.
    GetGateStatus = "/viridian.gate.v1.GateService/GetStatus",
    /// `GateService.GetSetting`.
    GetSetting = "/viridian.gate.v1.GateService/GetSetting",
    /// `PublicService.GetOverview`.
    GetOverview = "/viridian.public.v1.PublicService/GetOverview",
    /// `PublicService.GetRuleText`.
    GetRuleText = "/viridian.public.v1.PublicService/GetRuleText",
    /// `PublicService.GetCounts`.
    GetCounts = "/viridian.public.v1.PublicService/GetCounts",
    /// `PublicService.GetImpacts`.
    GetImpacts = "/viridian.public.v1.PublicService/GetImpacts",
    /// `ConsoleService.BeginEnrol`.
    BeginEnrol = "/viridian.console.v1.ConsoleService/BeginEnrol",
    /// `ConsoleService.Enrol`.
    Enrol = "/viridian.console.v1.ConsoleService/Enrol",
    /// `ConsoleService.BeginSignIn`.
    BeginSignIn = "/viridian.console.v1.ConsoleService/BeginSignIn",
    /// `ConsoleService.SignIn`.
    SignIn = "/viridian.console.v1.ConsoleService/SignIn",
    /// `ConsoleService.SignOut`.
    SignOut = "/viridian.console.v1.ConsoleService/SignOut",
    /// `ConsoleService.GetDesk`.
    GetDesk = "/viridian.console.v1.ConsoleService/GetDesk",
    /// `ConsoleService.Propose`.
    Propose = "/viridian.console.v1.ConsoleService/Propose",
    /// `ConsoleService.ListProposals`.
    ListProposals = "/viridian.console.v1.ConsoleService/ListProposals",
    /// `ConsoleService.ReadProposal`.
    ReadProposal = "/viridian.console.v1.ConsoleService/ReadProposal",
    /// `ConsoleService.JudgeProposal`.
    JudgeProposal = "/viridian.console.v1.ConsoleService/JudgeProposal",
    /// `ConsoleService.WithdrawProposal`.
    WithdrawProposal = "/viridian.console.v1.ConsoleService/WithdrawProposal",
    /// `ConsoleService.ListCases`.
    ListCases = "/viridian.console.v1.ConsoleService/ListCases",
    /// `ConsoleService.ReadCase`.
    ReadCase = "/viridian.console.v1.ConsoleService/ReadCase",
    /// `ConsoleService.GetOverview`.
    GetConsoleOverview = "/viridian.console.v1.ConsoleService/GetOverview",
    /// `ConsoleService.ListIntake`.
    ListIntake = "/viridian.console.v1.ConsoleService/ListIntake",
    /// `ConsoleService.ListActs`.
    ListActs = "/viridian.console.v1.ConsoleService/ListActs",
    /// The standard health check, once.
    HealthCheck = "/grpc.health.v1.Health/Check",
    /// The standard health check, watched.
    HealthWatch = "/grpc.health.v1.Health/Watch",
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use prost::Message as _;
    use prost_types::FileDescriptorSet;

    use super::*;

    #[test]
    fn every_call_of_the_protocol_files_is_a_method_and_none_else_but_health() {
        let set = FileDescriptorSet::decode(DESCRIPTORS).unwrap();
        let mut declared: BTreeSet<String> = BTreeSet::new();
        for file in &set.file {
            for service in &file.service {
                for method in &service.method {
                    declared.insert(format!(
                        "/{}.{}/{}",
                        file.package(),
                        service.name(),
                        method.name()
                    ));
                }
            }
        }
        assert!(declared.len() > 20, "the descriptor set holds no services");
        declared.insert(Method::HealthCheck.path().to_owned());
        declared.insert(Method::HealthWatch.path().to_owned());
        let listed: BTreeSet<String> = Method::ALL
            .iter()
            .map(|method| method.path().to_owned())
            .collect();
        assert_eq!(listed, declared);
    }

    #[test]
    fn path_and_method_are_inverse() {
        for &method in Method::ALL {
            assert_eq!(Method::from_path(method.path()), Some(method));
        }
        assert_eq!(
            Method::from_path("/viridian.resident.v1.ResidentService/SetColour"),
            None
        );
        assert_eq!(Method::from_path(""), None);
    }
}
