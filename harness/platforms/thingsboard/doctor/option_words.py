"""The options of `fleetrig doctor thingsboard`: what a device has, how it calls the server, who looks on."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

# The server and who looks

Against = Annotated[str, typer.Option(metavar="URL|SERVER.yaml", help="The server's REST API.")]
User = Annotated[
    str | None,
    typer.Option(
        metavar="NAME",
        help="Tenant administrator to look with.  [default: from SERVER.yaml, else the demo tenant's on loopback]",
    ),
]
Password = Annotated[str | None, typer.Option(metavar="env:NAME", help="Its password.")]
NoAccount = Annotated[bool, typer.Option("--no-account", help="See what the device can see, nothing else.")]
Try = Annotated[
    bool,
    typer.Option("--try", help="Provision a throw-away device and remove it; show a chain even if that creates."),
]
Within = Annotated[float, typer.Option(metavar="S", min=0.1, max=120.0, help="How long to wait for an answer.")]
Insecure = Annotated[bool, typer.Option("--insecure", help="Accept any certificate, but say what is wrong with it.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON, for machines.")]

# What the device has

Name = Annotated[str, typer.Option(metavar="NAME", help="The device's name.")]
ProvisionKey = Annotated[
    str | None, typer.Option(metavar="env:NAME", help="Key of its profile: it asks to be provisioned.")
]
ProvisionSecret = Annotated[str | None, typer.Option(metavar="env:NAME", help="The profile's secret.")]
Request = Annotated[Path | None, typer.Option(metavar="F", help="The whole request as the device sends it, instead.")]
Token = Annotated[str | None, typer.Option(metavar="env:NAME", help="Its access token: it logs in.")]
ClientId = Annotated[str, typer.Option(metavar="ID", help="Its MQTT client id.")]
UserName = Annotated[str | None, typer.Option(metavar="NAME", help="Its MQTT user name.")]
MqttPassword = Annotated[str | None, typer.Option(metavar="env:NAME", help="Its MQTT password.")]
Cert = Annotated[Path | None, typer.Option(metavar="F", help="Its certificate and the chain behind it (PEM).")]
Key = Annotated[Path | None, typer.Option(metavar="F", help="The certificate's key, to do TLS as the device does.")]
Gateway = Annotated[bool, typer.Option("--gateway", help="It is to be a gateway.")]
Claim = Annotated[bool, typer.Option("--claim", help="It offers itself to be claimed.")]

# How it asks

OverUrl = Annotated[
    str,
    typer.Option(
        metavar="URL|WORD", help="What the device calls: mqtts://HOST:8883, or mqtt, mqtts, http, https, coap or coaps."
    ),
]
Topic = Annotated[str, typer.Option(metavar="T", help="Where it publishes its request.")]
ResponseTopic = Annotated[str, typer.Option(metavar="T", help="What it subscribes to.")]
RequestPath = Annotated[str, typer.Option(metavar="P", help="Where it posts its request, over HTTP and CoAP.")]
ContentType = Annotated[str, typer.Option(metavar="TYPE", help="Its request's, over HTTP.")]
Reads = Annotated[
    list[str] | None, typer.Option(metavar="MEMBER", help="A member of the reply that it looks at; repeatable.")
]
