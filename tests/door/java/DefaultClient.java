import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse.BodyHandlers;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What an application in Java asks, with java.net.http as it comes: on plain http it offers h2c in every request.
 *
 * java DefaultClient.java ADDRESS CLIENT_ID CLIENT_SECRET TIME prints a line an answer: its status and its body.
 */
class DefaultClient {
    private static final String FORM = "application/x-www-form-urlencoded";

    private final HttpClient client = HttpClient.newHttpClient();
    private final String address;

    DefaultClient(String address) {
        this.address = address;
    }

    public static void main(String[] arguments) throws Exception {
        DefaultClient asking = new DefaultClient(arguments[0]);
        String credentials = "client_id=" + arguments[1] + "&client_secret=" + arguments[2];

        String issued = asking.post("/app/oauth2/token", FORM, null,
            credentials + "&grant_type=client_credentials&scope=telemetry%3Awrite");
        Matcher found = Pattern.compile("\"access_token\":\"([^\"]+)\"").matcher(issued);
        String token = found.find() ? found.group(1) : "none";

        asking.post("/app/oauth2/introspect", FORM, null, credentials + "&token=" + token);
        asking.post("/api/v2/telemetry", "application/x-ndjson", token,
            "{\"PIN\":\"P1\",\"CumulativeOperatingHours\":{\"Hour\":7,\"datetime\":\"" + arguments[3] + "\"}}");
        asking.post("/app/oauth2/revoke", FORM, null, credentials + "&token=" + token);
        asking.post("/app/oauth2/introspect", FORM, null, credentials + "&token=" + token);
    }

    private String post(String path, String type, String token, String body) throws Exception {
        HttpRequest.Builder request = HttpRequest.newBuilder(URI.create(address + path)).header("Content-Type", type);
        if (token != null) {
            request.header("Authorization", "Bearer " + token);
        }
        var answer = client.send(request.POST(BodyPublishers.ofString(body)).build(), BodyHandlers.ofString());
        System.out.println(answer.statusCode() + " " + answer.body());
        return answer.body();
    }
}
