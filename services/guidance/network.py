"""Advice for each failed check of the way to a server: host name, connection, certificate, response and clock."""

from __future__ import annotations

from services.guidance.advice import IMANAGE_ADMIN, NETWORK_TEAM, Advice

_FIXED = (
    "URL and API URL cannot be changed. Add the server again with the right address, then remove this one."
)

NETWORK_ADVICE: dict[str, Advice] = {
    # Host name
    "dns.unknown": Advice(
        "Counterpart’s DNS does not know this host name.",
        "Check the spelling. If it is right, ask for the name to be added to the DNS that Counterpart uses.",
        NETWORK_TEAM,
        cause="The host name is misspelt, or only known on a network that Counterpart’s DNS does not serve.",
    ),
    "dns.no_answer": Advice(
        "The DNS server did not answer, so the host name could not be looked up.",
        "Check again in a few minutes. If it still fails, ask for the DNS server to be checked.",
        NETWORK_TEAM,
        cause="The DNS server that Counterpart uses is down or cannot be reached.",
    ),
    "dns.not_allowed": Advice(
        "The host name leads to an address that Counterpart does not connect to.",
        "Check the host name. If it is right, add its network to COUNTERPART_IMANAGE_NETWORKS.",
        cause="The address belongs to this machine, to network equipment, or to a network that is not allowed.",
    ),
    # Connection
    "tcp.refused": Advice(
        "The server refused the connection.",
        "Ask whether iManage is running, and on which port.",
        IMANAGE_ADMIN,
        cause="The host is up but nothing accepts connections on this port: iManage is stopped, uses another port, "
        "or a firewall rejects the connection.",
    ),
    "tcp.silent": Advice(
        "The server did not respond to the connection.",
        "Ask for connections from Counterpart to this host and port to be allowed.",
        NETWORK_TEAM,
        cause="A firewall drops the packets, or the host is switched off.",
    ),
    "tcp.reset": Advice(
        "The connection was closed as soon as it was made.",
        "Ask whether a firewall closes connections from Counterpart to this host and port.",
        NETWORK_TEAM,
        cause="A firewall, or the program on this port, closes connections to this host.",
    ),
    "tcp.no_route": Advice(
        "There is no network route to this address.",
        "Ask for a route from Counterpart to the host.",
        NETWORK_TEAM,
        cause="Counterpart’s network is not connected to the network of the host.",
    ),
    "tcp.not_allowed": Advice(
        "Counterpart does not allow connections to this address or port.",
        "Check the address. If it is right, add the port to COUNTERPART_IMANAGE_PORTS or the network to "
        "COUNTERPART_IMANAGE_NETWORKS.",
        cause="The port, the network or the scheme is not one of those allowed.",
    ),
    # Certificate
    "tls.expired": Advice(
        "The server’s certificate has expired.",
        "Ask for the certificate to be renewed.",
        IMANAGE_ADMIN,
        cause="It was not renewed in time. Browsers reject it too.",
    ),
    "tls.expires_soon": Advice(
        "The server’s certificate expires within three weeks.",
        "Ask for the certificate to be renewed before then.",
        IMANAGE_ADMIN,
        cause="Once it has expired, nobody can reach iManage through Counterpart.",
    ),
    "tls.not_yet_valid": Advice(
        "The server’s certificate is not valid yet.",
        "Compare the date it is valid from with Counterpart’s clock. If the clock is right, ask for a certificate that "
        "is valid now.",
        IMANAGE_ADMIN,
        cause="It is valid from a date in the future, or Counterpart’s clock is slow.",
    ),
    "tls.wrong_name": Advice(
        "The server’s certificate is for another host name.",
        "Use a name that is in the certificate as the URL, or ask for a certificate that includes this name.",
        IMANAGE_ADMIN,
        cause="The host name in the URL is not one of those in the certificate.",
    ),
    "tls.self_signed": Advice(
        "The server’s certificate is self-signed.",
        "Ask for a certificate from your firm’s certificate authority or a public one. To keep this one, add it under "
        "Custom CA.",
        IMANAGE_ADMIN,
        cause="New installations come with such a certificate. It proves nothing about who owns the server.",
    ),
    "tls.unknown_authority": Advice(
        "Counterpart does not know the authority that issued the server’s certificate.",
        "If “Issued by” names your firm’s authority, add its certificate under Custom CA. If it names a security "
        "product, ask your network team to exempt this connection.",
        cause="Either your firm has its own certificate authority, or a security product decrypts the connection and "
        "presents a certificate of its own.",
    ),
    "tls.incomplete": Advice(
        "The server does not send its full certificate chain.",
        "Ask for the intermediate certificate to be installed on the server.",
        IMANAGE_ADMIN,
        cause="The issuer is known but the intermediate certificate is missing. Browsers often fetch it themselves.",
    ),
    "ca.expires": Advice(
        "A certificate under Custom CA expires within 30 days.",
        "Ask for the authority’s new certificate, and add it under Custom CA beside the old one.",
        NETWORK_TEAM,
        cause="Once it has expired, certificates that it issued are no longer trusted.",
    ),
    "ca.expired": Advice(
        "A certificate under Custom CA has expired.",
        "Ask for the authority’s new certificate, and replace the old one under Custom CA.",
        NETWORK_TEAM,
        cause="Certificates that it issued are no longer trusted. The server still works if another one in the list "
        "covers it.",
    ),
    "tls.too_old": Advice(
        "The server only supports old versions of TLS.",
        "Ask for TLS 1.2 or 1.3 to be switched on at the server.",
        IMANAGE_ADMIN,
        cause="Counterpart requires TLS 1.2 or later, because older versions can be broken.",
    ),
    "tls.too_weak": Advice(
        "The server’s encryption is too weak.",
        "Ask for a certificate with a longer key, and for current ciphers, at the server.",
        IMANAGE_ADMIN,
        cause="The server only offers keys or ciphers that are no longer safe.",
    ),
    "tls.plain_http": Advice(
        "The server uses plain HTTP on this port, and the URL asks for HTTPS.",
        "Ask which port iManage uses for HTTPS. It is usually 443.",
        IMANAGE_ADMIN,
        cause="This port is not encrypted.",
    ),
    "tls.silent": Advice(
        "The server accepted the connection but did not start encryption.",
        "Ask whether there is a firewall or proxy on the way, and whether this is iManage’s port.",
        NETWORK_TEAM,
        cause="A firewall holds the connection, or another program uses this port.",
    ),
    "tls.broken_off": Advice(
        "The connection was closed while encryption was starting.",
        "Ask whether there is a firewall or proxy on the way, and whether this is iManage’s port.",
        NETWORK_TEAM,
        cause="A firewall blocks this host name, or another program uses this port.",
    ),
    # Request and response
    "line.silent": Advice(
        "The server accepted the request but did not answer in time.",
        "Check again in a few minutes. If it still fails, ask whether the iManage server is healthy.",
        IMANAGE_ADMIN,
        cause="iManage is overloaded or stopped, or a firewall holds back the answer.",
    ),
    "line.broken": Advice(
        "The connection was lost before the answer arrived.",
        "Ask whether a firewall or proxy closes connections to this host.",
        NETWORK_TEAM,
        cause="The server, or something on the way to it, closed the connection.",
    ),
    "line.tls": Advice(
        "The server ended the encrypted connection when the request was sent.",
        "Ask for Counterpart to be allowed in without a client certificate.",
        NETWORK_TEAM,
        cause="The server may require a client certificate, which Counterpart does not send.",
    ),
    "address.path": Advice(
        "iManage answers at this address only without the path.",
        _FIXED,
        cause="The address should end after the host name.",
    ),
    "address.port": Advice(
        "iManage answers at this address only without the port.",
        _FIXED,
        cause="The address should end after the host name.",
    ),
    # The outbound proxy
    "proxy.not_set": Advice(
        "This server is to be reached through a proxy, and none is set.",
        "Set COUNTERPART_OUTBOUND_PROXY, or choose another route for this server.",
        cause="The setting was removed after this server’s route had been chosen. Counterpart does not fall back to a "
        "direct connection.",
    ),
    "proxy.unreachable": Advice(
        "Counterpart cannot connect to the proxy.",
        "Compare COUNTERPART_OUTBOUND_PROXY with the proxy’s address, and ask whether the proxy is running.",
        NETWORK_TEAM,
        cause="The proxy is stopped, its address is wrong, or a firewall rejects the connection.",
    ),
    "proxy.silent": Advice(
        "The proxy did not answer in time.",
        "Ask whether the proxy is healthy, and whether it can reach this host.",
        NETWORK_TEAM,
        cause="The proxy is overloaded, waits for the server, or a firewall drops the packets.",
    ),
    "proxy.asks_credentials": Advice(
        "The proxy asks for a sign-in, and Counterpart has none.",
        "Ask for an account for Counterpart, and enter it in COUNTERPART_OUTBOUND_PROXY and "
        "COUNTERPART_OUTBOUND_PROXY_PASSWORD_FILE.",
        NETWORK_TEAM,
        cause="The proxy lets only known accounts through. Counterpart can sign in by user name and password.",
    ),
    "proxy.credentials_refused": Advice(
        "The proxy does not accept Counterpart’s user name or password.",
        "Compare COUNTERPART_OUTBOUND_PROXY and the file of COUNTERPART_OUTBOUND_PROXY_PASSWORD_FILE with the account, "
        "then restart Counterpart.",
        NETWORK_TEAM,
        cause="The password is wrong or has been changed, the account is locked, or the proxy only accepts "
        "another kind of sign-in than Basic.",
    ),
    "proxy.tunnel_refused": Advice(
        "The proxy does not let Counterpart connect to this server.",
        "Ask for CONNECT to this host and port to be allowed for Counterpart.",
        NETWORK_TEAM,
        cause="A rule of the proxy forbids this host, this port or CONNECT.",
    ),
    "proxy.no_way": Advice(
        "The proxy cannot connect to the server.",
        "Ask whether the proxy knows this host name and can reach the host and port.",
        NETWORK_TEAM,
        cause="The server is down, or the proxy’s DNS or firewall does not lead to it. Servers inside your network may "
        "need a direct connection.",
    ),
    "proxy.not_a_proxy": Advice(
        "The answer at the proxy’s address is not that of a proxy.",
        "Compare COUNTERPART_OUTBOUND_PROXY with the proxy’s address and port.",
        NETWORK_TEAM,
        cause="Another program uses this port, the port expects TLS, or the proxy closed the connection.",
    ),
    "proxy.own_certificate": Advice(
        "The certificate behind the proxy is from an authority that Counterpart does not know.",
        "If “Issued by” names the proxy or a security product, ask for this host to be exempt from decryption. If it "
        "names your firm’s authority, add its certificate under Custom CA.",
        NETWORK_TEAM,
        cause="Either the proxy decrypts the connection and presents a certificate of its own, or your firm has "
        "its own certificate authority.",
    ),
    # Answers in place of iManage’s
    "proxy.sign_in": Advice(
        "A proxy asked for a sign-in of its own and let nothing through.",
        "Ask for Counterpart to be allowed to reach the host without signing in to the proxy.",
        NETWORK_TEAM,
        cause="Counterpart’s connections go through a proxy that requires a sign-in.",
    ),
    "proxy.captive_portal": Advice(
        "The network requires a sign-in before it allows any connection.",
        "Ask for Counterpart to be allowed out without that sign-in.",
        NETWORK_TEAM,
        cause="Counterpart is on a guest network, or has not been allowed out yet.",
    ),
    "proxy.own_page": Advice(
        "A proxy answered with its own page instead of iManage.",
        "Ask for connections to this host to be passed through unchanged.",
        NETWORK_TEAM,
        cause="A proxy or firewall blocks Counterpart from reaching the host.",
    ),
    "proxy.sign_in_page": Advice(
        "A sign-in page, such as Microsoft’s, answers in place of iManage’s API.",
        "Ask for pre-authentication to be set to pass-through for /api, /work and /auth, or for an address of the API "
        "without it. If you have one, add the server again with it as its API URL.",
        NETWORK_TEAM,
        cause="iManage is published by an application proxy that signs people in before it lets a request through. "
        "Counterpart’s calls carry iManage’s own sign-in, which that proxy does not know.",
    ),
    "proxy.refused": Advice(
        "Something other than iManage refused the request.",
        "Ask for Counterpart’s outgoing addresses to be allowed there.",
        NETWORK_TEAM,
        cause="A firewall, a proxy or a web server in front of iManage does not let Counterpart in.",
    ),
    "api.redirected": Advice(
        "The server redirects to another address.",
        "Open the URL in a browser. If it leads to iManage, add the server again with the address you see there. If "
        "not, ask your network team what is in front of it.",
        cause="The URL is out of date or shortened, or there is a sign-in page in front of iManage. Counterpart does "
        "not follow redirects, so that no sign-in is sent to another host.",
    ),
    "api.not_found": Advice(
        "There is no iManage Work at this address.",
        "Check the host name with your iManage admin. It is the one where people open iManage Work.",
        cause="A web server answers, but it does not have iManage’s API.",
    ),
    "api.not_imanage": Advice(
        "Something other than iManage Work answers at this address.",
        "Check the host name and port with your iManage admin.",
        cause="Another program uses this host and port, or a proxy shows a page of its own.",
    ),
    "api.gateway": Advice(
        "iManage is not answering behind its load balancer or proxy.",
        "Ask whether the iManage services are running. Check again in a few minutes.",
        IMANAGE_ADMIN,
        cause="The load balancer or proxy is up; the iManage services behind it are stopped or starting.",
    ),
    "api.server_fault": Advice(
        "The server answers with an internal error.",
        "Check again in a few minutes. If it still fails, ask for iManage’s log for this time.",
        IMANAGE_ADMIN,
        cause="iManage met an unexpected error.",
    ),
    "throttled.calls": Advice(
        "iManage received too many calls in a short time and asked Counterpart to wait.",
        "Check again later. If it still happens, ask for this application’s limit to be raised.",
        IMANAGE_ADMIN,
        cause="The limit counts all calls from this application or address, including those of other programs.",
    ),
    # Clock
    "clock.apart": Advice(
        "The server’s clock and Counterpart’s differ by more than a minute.",
        "Ask for both clocks to be synchronised with a time server.",
        NETWORK_TEAM,
        cause="Sign-ins and document dates depend on correct clocks.",
    ),
    "clock.wrong": Advice(
        "The server’s clock and Counterpart’s differ by more than five minutes.",
        "Ask for both clocks to be synchronised with a time server. Compare them with a clock you trust to see which "
        "is wrong.",
        NETWORK_TEAM,
        cause="With such a difference, sign-ins are refused or end too early.",
    ),
}
