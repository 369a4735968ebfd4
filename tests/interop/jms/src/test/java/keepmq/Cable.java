package keepmq;

import java.io.Closeable;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;

/** A way to the broker that can be cut. It passes bytes on as they are, so that TLS goes from end to end. */
final class Cable implements Closeable {
    private final ServerSocket listening;
    private final List<Socket> sockets = new CopyOnWriteArrayList<>();
    private volatile boolean pulled;

    Cable() throws IOException {
        listening = new ServerSocket(0, 50, InetAddress.getByName("127.0.0.1"));
        daemon(this::accept);
    }

    /** The broker's address by this way, without options. */
    String url() {
        URI broker = Broker.address();
        return broker.getScheme() + "://" + broker.getHost() + ":" + listening.getLocalPort();
    }

    /** Breaks every connection; new ones are possible. */
    void cut() {
        sockets.forEach(Cable::quietly);
        sockets.clear();
    }

    /** Breaks every connection, and each new one too, until it is plugged in again. */
    void pull() {
        pulled = true;
        cut();
    }

    void plugIn() {
        pulled = false;
    }

    @Override
    public void close() {
        quietly(listening);
        pull();
    }

    private void accept() {
        while (!listening.isClosed()) {
            try {
                Socket client = listening.accept();
                if (pulled) {
                    client.close();
                    continue;
                }
                Socket broker = new Socket("127.0.0.1", Broker.address().getPort());
                sockets.add(client);
                sockets.add(broker);
                pass(client, broker);
                pass(broker, client);
            } catch (IOException e) {
                continue;
            }
        }
    }

    private static void pass(Socket from, Socket to) {
        daemon(() -> {
            try (InputStream in = from.getInputStream(); OutputStream out = to.getOutputStream()) {
                in.transferTo(out);
            } catch (IOException e) {
                quietly(to);
            }
        });
    }

    private static void daemon(Runnable task) {
        Thread thread = new Thread(task);
        thread.setDaemon(true);
        thread.start();
    }

    private static void quietly(Closeable open) {
        try {
            open.close();
        } catch (IOException e) {
            return;
        }
    }
}
