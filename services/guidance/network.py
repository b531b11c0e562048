"""What to do about each failure of the way to a server, from its name to what answers there."""

from __future__ import annotations

from services.guidance.advice import IMANAGE_ADMIN, NETWORK_TEAM, YOU, Advice

_FIXED = "URL and API URL cannot be changed: add the server again with the right ones, and remove this one."

NETWORK_ADVICE: dict[str, Advice] = {
    # The name
    "dns.unknown": Advice(
        "The host of this address is not known here.",
        "The host is misspelt, or it is only known inside the firm’s network and not to this installation.",
        "Check the spelling. If it is right, ask for the name to be made known to this installation’s DNS.",
        NETWORK_TEAM,
    ),
    "dns.no_answer": Advice(
        "The DNS did not answer, so the host could not be looked up.",
        "The DNS that this installation asks is away or out of reach for the moment.",
        "Check again in a few minutes. If it stays so, ask for this installation’s DNS to be looked at.",
        NETWORK_TEAM,
    ),
    "dns.not_allowed": Advice(
        "The host leads to an address that this installation does not connect to.",
        "The address is one of this machine itself, of network equipment, or of a network that is not allowed here.",
        "Check the host. If it is right, have its network named in COUNTERPART_IMANAGE_NETWORKS.",
        YOU,
    ),
    # The connection
    "tcp.refused": Advice(
        "The connection was refused.",
        "The host was reached, and nothing takes connections at this port: iManage is stopped there, listens at "
        "another port, or a firewall refuses.",
        "Ask whether iManage is running, and at which port.",
        IMANAGE_ADMIN,
    ),
    "tcp.silent": Advice(
        "Nothing came back: the connection was neither taken nor refused.",
        "A firewall drops the packets on the way, or the host is switched off.",
        "Ask for the way from this installation to this host and port to be opened.",
        NETWORK_TEAM,
    ),
    "tcp.reset": Advice(
        "The connection was taken and broken off at once.",
        "A firewall on the way ends connections to this host, or the program at this port does.",
        "Ask whether a firewall ends connections from this installation to this host and port.",
        NETWORK_TEAM,
    ),
    "tcp.no_route": Advice(
        "There is no way from here to that address.",
        "The network of this installation does not lead to the network of the host.",
        "Ask for a route from this installation to the host.",
        NETWORK_TEAM,
    ),
    "tcp.not_allowed": Advice(
        "This installation does not allow connections to that address or port.",
        "The port, the network or the scheme is not among those that are allowed here.",
        "Check the address. If it is right, have the port named in COUNTERPART_IMANAGE_PORTS or the network in "
        "COUNTERPART_IMANAGE_NETWORKS.",
        YOU,
    ),
    # The certificate
    "tls.expired": Advice(
        "The server’s certificate has expired.",
        "It was not renewed in time. Browsers refuse it too.",
        "Ask for the certificate to be renewed.",
        IMANAGE_ADMIN,
    ),
    "tls.expires_soon": Advice(
        "The server’s certificate expires within three weeks.",
        "Once it has expired, nobody here can reach iManage any more.",
        "Ask for the certificate to be renewed before that day.",
        IMANAGE_ADMIN,
    ),
    "tls.not_yet_valid": Advice(
        "The server’s certificate is not valid yet.",
        "It begins in the future, or the clock of this installation is slow.",
        "Compare the day it begins with the clock of this installation. If the clock is right, ask the iManage admin "
        "for a certificate that is valid now.",
        IMANAGE_ADMIN,
    ),
    "tls.wrong_name": Advice(
        "The server’s certificate is for another name.",
        "The URL names the server otherwise than its certificate does.",
        "Use one of the names in the certificate as the URL, or ask for a certificate with this name in it.",
        IMANAGE_ADMIN,
    ),
    "tls.self_signed": Advice(
        "The server’s certificate is signed by nobody but itself.",
        "A certificate of this kind comes with a fresh installation, and nothing proves whose it is.",
        "Ask for a certificate of your firm’s authority or a public one. If it is meant to stay, add it under Own CA.",
        IMANAGE_ADMIN,
    ),
    "tls.unknown_authority": Advice(
        "The server’s certificate is of an authority that this installation does not know.",
        "It is your firm’s own authority, or equipment on the way opens the encryption and shows a certificate of "
        "its own. The row “Issued by” tells which.",
        "If the issuer is your firm’s authority, add its certificate under Own CA. If it is a security product, ask "
        "your network team to leave this connection as it is.",
        YOU,
    ),
    "tls.incomplete": Advice(
        "The server does not send the whole chain of its certificate.",
        "The issuer is known here, but the certificate in between is missing. Browsers often find it by themselves.",
        "Ask for the intermediate certificate to be installed on the server beside its own.",
        IMANAGE_ADMIN,
    ),
    "ca.expires": Advice(
        "A certificate under Own CA expires within 30 days.",
        "Once it has expired, what it vouches for is not trusted any more.",
        "Ask for the authority’s new certificate, and paste it under Own CA beside the old one.",
        NETWORK_TEAM,
    ),
    "ca.expired": Advice(
        "A certificate under Own CA has expired.",
        "It vouches for nothing any more. The server still works if another one of the list stands for it.",
        "Ask for the authority’s new certificate, and paste it under Own CA in the place of the old one.",
        NETWORK_TEAM,
    ),
    "tls.too_old": Advice(
        "The server only speaks an old version of TLS.",
        "Counterpart asks for TLS 1.2 or later; older versions can be broken.",
        "Ask for TLS 1.2 or 1.3 to be switched on at the server.",
        IMANAGE_ADMIN,
    ),
    "tls.too_weak": Advice(
        "The server’s encryption is too weak.",
        "It offers only keys or ciphers that are not safe any more.",
        "Ask for a certificate with a longer key, and for current ciphers, at the server.",
        IMANAGE_ADMIN,
    ),
    "tls.plain_http": Advice(
        "The server answers in plain HTTP where https:// is asked for.",
        "The port is one without encryption.",
        "Ask at which port iManage is to be reached by https://. That is usually 443.",
        IMANAGE_ADMIN,
    ),
    "tls.silent": Advice(
        "The server took the connection and then did not answer the start of the encryption.",
        "A firewall on the way holds the connection, or another program listens at this port.",
        "Ask whether a firewall or proxy stands in between, and whether the port is iManage’s.",
        NETWORK_TEAM,
    ),
    "tls.broken_off": Advice(
        "The connection was broken off at the start of the encryption.",
        "A firewall on the way does not let this host name through, or another program listens at this port.",
        "Ask whether a firewall or proxy stands in between, and whether the port is iManage’s.",
        NETWORK_TEAM,
    ),
    # The line
    "line.silent": Advice(
        "The server took the question and did not answer in time.",
        "iManage is overloaded or stopped behind its door, or a firewall on the way holds the answer.",
        "Check again in a few minutes. If it stays so, ask the iManage admin whether the server is well.",
        IMANAGE_ADMIN,
    ),
    "line.broken": Advice(
        "The connection broke off before the answer had come.",
        "Something on the way ends the connection, or the server does.",
        "Ask whether a firewall or proxy on the way ends connections to this host.",
        NETWORK_TEAM,
    ),
    "line.tls": Advice(
        "The server broke off the encryption when it was asked.",
        "It may want a client certificate, which Counterpart does not send.",
        "Ask for this installation to be let in without a client certificate.",
        NETWORK_TEAM,
    ),
    # What answers
    "address.path": Advice(
        "There is a path too many in the address: iManage answers without it.",
        "Only https:// and the host are needed.",
        _FIXED,
        YOU,
    ),
    "address.port": Advice(
        "There is a port too many in the address: iManage answers without it.",
        "Only https:// and the host are needed.",
        _FIXED,
        YOU,
    ),
    "proxy.sign_in": Advice(
        "A proxy on the way wants a sign-in of its own, and let nothing through.",
        "This installation’s connections are led through a proxy that people sign in to.",
        "Ask for this installation to reach the host without that sign-in.",
        NETWORK_TEAM,
    ),
    "proxy.captive_portal": Advice(
        "The network wants a sign-in before it lets anything out.",
        "This installation stands in a network for guests, or has not been let out yet.",
        "Ask for this installation to be let out without that sign-in.",
        NETWORK_TEAM,
    ),
    "proxy.own_page": Advice(
        "A proxy’s own page came back in place of iManage’s answer.",
        "A proxy or firewall on the way does not let this installation through to the host.",
        "Ask for this host to be let through as it is.",
        NETWORK_TEAM,
    ),
    "proxy.refused": Advice(
        "The answer was a refusal that is not iManage’s.",
        "A firewall, a proxy or a web server in front of iManage does not let this installation in.",
        "Ask for this installation’s outgoing addresses to be allowed there.",
        NETWORK_TEAM,
    ),
    "api.redirected": Advice(
        "The server sends us on to another address.",
        "The URL is an older or a shorter one, or a sign-in gate or captive portal stands in front of iManage. "
        "Counterpart does not follow such answers, so that no sign-in goes to another host.",
        "Open the URL in a browser. If it ends at iManage, add the server with the address you see there. Else ask "
        "your network team what stands in front.",
        YOU,
    ),
    "api.not_found": Advice(
        "There is no iManage Work at this address.",
        "A web server answers, and knows nothing of iManage’s API.",
        "Check the host with the iManage admin: it is the one at which people open iManage Work.",
        YOU,
    ),
    "api.not_imanage": Advice(
        "Another program answers here, not iManage Work.",
        "Another program listens at this host and port, or a proxy on the way shows a page of its own.",
        "Check the host and the port with the iManage admin.",
        YOU,
    ),
    "api.gateway": Advice(
        "The door of iManage answers, and iManage behind it does not.",
        "A load balancer or reverse proxy is there; the iManage services behind it are stopped or starting.",
        "Ask whether the iManage services are running. Check again in a few minutes.",
        IMANAGE_ADMIN,
    ),
    "api.server_fault": Advice(
        "The server answers with a fault of its own.",
        "iManage has met an error that it did not expect.",
        "Check again in a few minutes. If it stays so, ask for iManage’s log of this moment.",
        IMANAGE_ADMIN,
    ),
    "throttled.calls": Advice(
        "iManage asks us to wait: too many calls came in a short time.",
        "The limit counts all calls of this application or this address, those of other programs too.",
        "Check again later. If it stays so, ask for the limit of this application to be raised.",
        IMANAGE_ADMIN,
    ),
    "clock.apart": Advice(
        "The server’s clock and ours are more than a minute apart.",
        "Sign-ins and times of documents are judged by clocks.",
        "Have both clocks set by a time server.",
        NETWORK_TEAM,
    ),
    "clock.wrong": Advice(
        "The server’s clock and ours are more than five minutes apart.",
        "Sign-ins are refused or end too early when clocks differ so much.",
        "Have both clocks set by a time server. Compare them with your own watch to see which is wrong.",
        NETWORK_TEAM,
    ),
}
