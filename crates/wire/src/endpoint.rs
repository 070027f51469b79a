//! Servers and clients with the protocol's size limit already set; nobody should build one without it.

/// Defines one constructor for each service's server, and one for its client.
macro_rules! endpoints {
    ($($name:ident: $area:ident, $server_mod:ident, $server:ident, $service:ident, $client_mod:ident, $client:ident;)*) => {
        /// Servers that refuse messages over [`crate::MAX_MESSAGE_BYTES`].
        pub mod server {
            use crate::MAX_MESSAGE_BYTES;
            $(
                /// The service over an implementation.
                pub fn $name<S>(service: S) -> crate::$area::v1::$server_mod::$server<S>
                where
                    S: crate::$area::v1::$server_mod::$service,
                {
                    crate::$area::v1::$server_mod::$server::new(service)
                        .max_decoding_message_size(MAX_MESSAGE_BYTES)
                        .max_encoding_message_size(MAX_MESSAGE_BYTES)
                }
            )*
        }

        /// Clients that refuse messages over [`crate::MAX_MESSAGE_BYTES`].
        pub mod client {
            use tonic::transport::Channel;

            use crate::MAX_MESSAGE_BYTES;
            $(
                /// A client over a channel.
                pub fn $name(channel: Channel) -> crate::$area::v1::$client_mod::$client<Channel> {
                    crate::$area::v1::$client_mod::$client::new(channel)
                        .max_decoding_message_size(MAX_MESSAGE_BYTES)
                        .max_encoding_message_size(MAX_MESSAGE_BYTES)
                }
            )*
        }
    };
}

endpoints! {
    appeal: source, appeal_service_server, AppealServiceServer, AppealService,
        appeal_service_client, AppealServiceClient;
    audit: audit, audit_service_server, AuditServiceServer, AuditService, audit_service_client, AuditServiceClient;
    console: console, console_service_server, ConsoleServiceServer, ConsoleService,
        console_service_client, ConsoleServiceClient;
    federation: federation, federation_service_server, FederationServiceServer, FederationService,
        federation_service_client, FederationServiceClient;
    forward: federation, forward_service_server, ForwardServiceServer, ForwardService,
        forward_service_client, ForwardServiceClient;
    forwarded: source, forwarded_service_server, ForwardedServiceServer, ForwardedService,
        forwarded_service_client, ForwardedServiceClient;
    gate: gate, gate_service_server, GateServiceServer, GateService, gate_service_client, GateServiceClient;
    maintenance: maintenance, maintenance_service_server, MaintenanceServiceServer, MaintenanceService,
        maintenance_service_client, MaintenanceServiceClient;
    opening: source, opening_service_server, OpeningServiceServer, OpeningService,
        opening_service_client, OpeningServiceClient;
    operator: operator, operator_service_server, OperatorServiceServer, OperatorService,
        operator_service_client, OperatorServiceClient;
    proxy_office: source, proxy_office_service_server, ProxyOfficeServiceServer, ProxyOfficeService,
        proxy_office_service_client, ProxyOfficeServiceClient;
    public: public, public_service_server, PublicServiceServer, PublicService, public_service_client, PublicServiceClient;
    resident: resident, resident_service_server, ResidentServiceServer, ResidentService,
        resident_service_client, ResidentServiceClient;
    source: source, source_service_server, SourceServiceServer, SourceService,
        source_service_client, SourceServiceClient;
    trust: trust, trust_service_server, TrustServiceServer, TrustService, trust_service_client, TrustServiceClient;
}
